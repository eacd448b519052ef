//! A service's routes with everything around them, in the order in which a request meets it.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use engine::config::ApiSettings;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    access::{self, Access},
    browsers::{self, Pages},
    documentation,
    error::{ApiError, ErrorKind},
    health::{self, HealthCheck},
    metrics::{self, RequestMetrics},
    observe,
};

/// A small body is here within this time.
const BODY_DEADLINE: Duration = Duration::from_secs(15);

/// An upload may pause for so long.
const UPLOAD_PAUSE: Duration = Duration::from_secs(30);

/// What a service brings. Its routes have their state already.
pub struct Api {
    /// Names the program in the log and in its settings, such as `ingestion-api`.
    pub name: &'static str,
    /// What the documentation is headed with.
    pub title: &'static str,
    pub description: &'static str,
    /// Answered within the time-out, from small bodies. Their answers may go on for ever: the time-out is for how they begin.
    pub quick: OpenApiRouter,
    /// Uploads and waits: no time-out, and no limit to the body but the handler's own.
    pub patient: OpenApiRouter,
    /// What needs no key and is in no documentation, such as a web page.
    pub public: Router,
}

/// What the layers need.
pub(crate) struct Surroundings<'a> {
    pub(crate) settings: &'a ApiSettings,
    pub(crate) access: Access,
    pub(crate) pages: Arc<Pages>,
    pub(crate) health: Arc<HealthCheck>,
    pub(crate) metrics: RequestMetrics,
}

impl Api {
    pub(crate) fn into_router(self, around: Surroundings<'_>) -> Router {
        let limit = Duration::from_secs(around.settings.timeout_seconds);
        let quick = self
            .quick
            .layer(RequestBodyDeadlineLayer::new(BODY_DEADLINE))
            .layer(DefaultBodyLimit::max(around.settings.max_body_kb.saturating_mul(1024)))
            .layer(from_fn(move |request, next| in_time(limit, request, next)));
        let patient = self.patient.layer(RequestBodyTimeoutLayer::new(UPLOAD_PAUSE)).layer(DefaultBodyLimit::disable());
        let guarded = quick.merge(patient).layer(from_fn_with_state(Arc::new(around.access), access::check));
        let (router, document) = OpenApiRouter::with_openapi(documentation::common(self.title, self.description))
            .merge(guarded)
            .merge(health::routes(around.health))
            .merge(metrics::routes())
            .split_for_parts();
        let around_all = ServiceBuilder::new()
            .layer(from_fn_with_state(around.metrics, observe::observe))
            .layer(CatchPanicLayer::custom(answer_panic))
            .layer(from_fn_with_state(around.pages.clone(), browsers::guard))
            .layer(browsers::cors(around.pages));
        router
            .merge(documentation::pages(document))
            .merge(self.public)
            .fallback(unknown_route)
            .method_not_allowed_fallback(wrong_method)
            .layer(around_all)
    }
}

async fn in_time(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::unavailable("the answer took too long; try again later").into_response(),
    }
}

/// The panic itself is in the log: the process's panic hook has written it.
fn answer_panic(_panic: Box<dyn Any + Send>) -> Response {
    ApiError::internal("the handler panicked").into_response()
}

async fn unknown_route() -> ApiError {
    ApiError::not_found("there is nothing here; /docs shows what there is")
}

async fn wrong_method() -> ApiError {
    let message = "this method is not possible here; the Allow header names those that are";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::InvalidRequestError, message)
}
