//! What the service answers.

use ::models::AllowedModels;
use api::{Api, Service};
use axum::Router;
use engine::config::{IngestSettings, WebhookSettings};

use crate::{app_state::AppState, batches, jobs, models, openai};

pub(crate) fn api(
    service: &Service,
    ingest: &IngestSettings,
    webhooks: WebhookSettings,
    offered: AllowedModels,
) -> Api {
    let state = AppState::new(service, ingest, webhooks, offered);
    Api {
        title: "Longhand ingestion API",
        description: "Takes recordings in and starts jobs. What becomes of them is told by the job status API.",
        quick: jobs::quick_routes().merge(batches::routes()).merge(models::routes()).with_state(state.clone()),
        patient: jobs::patient_routes().merge(openai::routes()).with_state(state),
        public: Router::new(),
        public_url: service.link_settings.ingestion_url.clone().unwrap_or_default(),
    }
}
