//! What the service answers.

use api::{Api, Service};
use utoipa_axum::router::OpenApiRouter;

use crate::{app_state::AppState, audio, deliveries, events, jobs, llm_answers, page, transcript};

pub(crate) fn api(service: &Service) -> Api {
    let routes = jobs::routes().merge(events::routes()).merge(transcript::routes());
    let routes = routes.merge(llm_answers::routes()).merge(deliveries::routes()).merge(audio::routes());
    Api {
        title: "Longhand job status API",
        description: "Tells how jobs stand and what came of them. Jobs are started at the ingestion API.",
        quick: routes.with_state(AppState::new(service)),
        patient: OpenApiRouter::new(),
        public: page::routes(&service.link_settings),
        public_url: service.link_settings.status_url.clone(),
    }
}
