//! What the service answers.

use api::{Api, Dependencies, JobQuota, Links};
use axum::Router;
use engine::{
    config::{ApiSettings, IngestSettings, LinkSettings},
    events::{JobWatchers, Notifications},
};
use tokio_util::sync::CancellationToken;

use crate::{batches, ingestion::Ingestion, jobs, models, openai, upload::Uploads};

pub(crate) fn api(
    dependencies: &Dependencies,
    notifications: Notifications,
    ingest: &IngestSettings,
    settings: &ApiSettings,
    links: &LinkSettings,
    stop: CancellationToken,
) -> Api {
    let ingestion = Ingestion {
        temporal: dependencies.temporal.clone(),
        uploads: Uploads { store: dependencies.store.clone(), most: ingest.max_source_mb.saturating_mul(1_000_000) },
        watchers: JobWatchers::new(dependencies.store.clone(), notifications),
        links: Links::new(links),
        quota: JobQuota::new(settings, dependencies.redis.as_ref()),
        most_json: settings.max_body_kb.saturating_mul(1024),
        stop,
    };
    Api {
        name: "ingestion-api",
        title: "Longhand ingestion API",
        description: "Takes recordings in and starts jobs. What becomes of them is told by the job status API.",
        quick: jobs::quick_routes().merge(batches::routes()).with_state(ingestion.clone()).merge(models::routes()),
        patient: jobs::patient_routes().merge(openai::routes()).with_state(ingestion),
        public: Router::new(),
    }
}
