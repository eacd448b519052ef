//! What the service answers.

use ::models::AllowedModels;
use api::{Api, Service};
use axum::Router;
use engine::config::IngestSettings;

use crate::{app_state::AppState, batches, jobs, models, openai};

pub(crate) fn api(service: &Service, ingest: &IngestSettings, offered: AllowedModels) -> Api {
    let state = AppState::new(service, ingest, offered);
    Api {
        title: "Longhand ingestion API",
        description: "Takes recordings in and starts jobs. What becomes of them is told by the job status API.",
        quick: jobs::quick_routes().merge(batches::routes()).merge(models::routes()).with_state(state.clone()),
        patient: jobs::patient_routes().merge(openai::routes()).with_state(state),
        public: Router::new(),
    }
}
