//! What the service answers.

use api::{Api, Dependencies};
use axum::Router;
use engine::config::{IngestSettings, LinkSettings};
use utoipa_axum::router::OpenApiRouter;

use crate::models;

pub(crate) fn api(_dependencies: &Dependencies, _ingest: &IngestSettings, _links: &LinkSettings) -> Api {
    Api {
        name: "ingestion-api",
        title: "Longhand ingestion API",
        description: "Takes recordings in and starts jobs.",
        quick: models::routes(),
        patient: OpenApiRouter::new(),
        public: Router::new(),
    }
}
