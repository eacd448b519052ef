//! A service's routes with the middleware around them, in the order in which a request meets it.

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    http::StatusCode,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use engine::config::ApiSettings;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    access::{self, Access},
    body_deadline,
    cors::{self, OriginPolicy},
    documentation,
    error::{ApiError, ErrorKind},
    health::{self, HealthCheck},
    metrics::{self, RequestMetrics},
    observe, public_path, stopping,
};

/// What a service answers. Its routes have their state already.
pub struct Api {
    /// The documentation's heading.
    pub title: &'static str,
    pub description: &'static str,
    /// Answered within the time-out, from small bodies. A streamed answer may go on for ever: the time-out is for how it begins.
    pub quick: OpenApiRouter,
    /// Uploads and waits: no time-out, and no limit to the body but the handler's own.
    pub patient: OpenApiRouter,
    /// What needs no key and is in no documentation, such as a web page.
    pub public: Router,
    /// Where the service is found from outside. A path in it is where a proxy shows the service on a host that it shares.
    pub public_url: String,
}

/// What the middleware needs.
pub(crate) struct Middleware<'a> {
    pub(crate) settings: &'a ApiSettings,
    pub(crate) access: Access,
    pub(crate) origins: Arc<OriginPolicy>,
    pub(crate) health: Arc<HealthCheck>,
    pub(crate) metrics: RequestMetrics,
    /// Metrics are told here, and not at an address of their own.
    pub(crate) shows_metrics: bool,
    pub(crate) stop: CancellationToken,
}

impl Api {
    pub(crate) fn into_router(self, middleware: Middleware<'_>) -> Router {
        let Middleware { settings, access, origins, health, metrics, shows_metrics, stop } = middleware;
        let public_path = public_path::of(&self.public_url);
        let quick = body_deadline::quick(self.quick, settings);
        let authenticated = quick
            .merge(body_deadline::patient(self.patient))
            .layer(from_fn_with_state(Arc::new(access), access::authenticate));
        let (router, document) = OpenApiRouter::with_openapi(documentation::common(self.title, self.description))
            .merge(authenticated)
            .merge(health::routes(health))
            .merge(if shows_metrics { metrics::routes() } else { OpenApiRouter::new() })
            .split_for_parts();
        let documentation: Router =
            if settings.docs { documentation::pages(document, &public_path).into() } else { Router::new() };
        let around_all = ServiceBuilder::new()
            .layer(from_fn_with_state(metrics, observe::observe))
            .layer(CatchPanicLayer::custom(answer_panic))
            .layer(from_fn_with_state(origins.clone(), cors::enforce))
            .layer(cors::layer(origins))
            .layer(from_fn_with_state(stop, stopping::refuse));
        let routes = router
            .merge(documentation)
            .merge(self.public)
            .fallback(unknown_route)
            .method_not_allowed_fallback(wrong_method)
            .layer(around_all);
        public_path::below(public_path, routes)
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
