//! What the service answers.

use api::{Api, Dependencies, JobQuota, Links};
use engine::{
    config::{ApiSettings, LinkSettings},
    events::{JobWatchers, Notifications},
};
use tokio_util::sync::CancellationToken;

use crate::{answers, audio, deliveries, events, jobs, page, recordings::Recordings, status::Status, transcript};

pub(crate) fn api(
    dependencies: &Dependencies,
    notifications: Notifications,
    settings: &ApiSettings,
    links: &LinkSettings,
    stop: CancellationToken,
) -> Api {
    let status = Status {
        temporal: dependencies.temporal.clone(),
        store: dependencies.store.clone(),
        watchers: JobWatchers::new(dependencies.store.clone(), notifications),
        recordings: Recordings::new(dependencies.store.clone()),
        links: Links::new(links),
        quota: JobQuota::new(settings, dependencies.redis.as_ref()),
        stop,
    };
    let routes = jobs::routes().merge(events::routes()).merge(transcript::routes());
    let routes = routes.merge(answers::routes()).merge(deliveries::routes()).merge(audio::routes());
    Api {
        name: "job-status-api",
        title: "Longhand job status API",
        description: "Tells how jobs stand and what came of them. Jobs are started at the ingestion API.",
        quick: routes.with_state(status),
        patient: utoipa_axum::router::OpenApiRouter::new(),
        public: page::routes(links),
    }
}
