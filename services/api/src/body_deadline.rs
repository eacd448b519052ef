//! How long a request's body may take to arrive, and how long its answer may take to begin.

use std::time::Duration;

use axum::{
    extract::{DefaultBodyLimit, Request},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use engine::config::ApiSettings;
use tower_http::timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer};
use utoipa_axum::router::OpenApiRouter;

use crate::error::ApiError;

/// A small body has arrived within this time.
const BODY_DEADLINE: Duration = Duration::from_secs(15);

/// An upload may pause for so long.
const UPLOAD_PAUSE: Duration = Duration::from_secs(30);

/// For routes with small bodies, whose answers begin within the time-out.
pub(crate) fn quick(routes: OpenApiRouter, settings: &ApiSettings) -> OpenApiRouter {
    let timeout = Duration::from_secs(settings.timeout_seconds);
    routes
        .layer(RequestBodyDeadlineLayer::new(BODY_DEADLINE))
        .layer(DefaultBodyLimit::max(settings.max_body_kb.saturating_mul(1024)))
        .layer(from_fn(move |request, next| answer_within(timeout, request, next)))
}

/// For uploads and waits: neither the whole body nor the answer has a deadline.
pub(crate) fn patient(routes: OpenApiRouter) -> OpenApiRouter {
    routes.layer(RequestBodyTimeoutLayer::new(UPLOAD_PAUSE)).layer(DefaultBodyLimit::disable())
}

async fn answer_within(timeout: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::unavailable("the answer took too long; try again later").into_response(),
    }
}
