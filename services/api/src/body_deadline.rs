//! How long a request's body may take to arrive, and how long its answer may take to begin.

use std::time::Duration;

use axum::{
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{Next, from_fn, map_request},
    response::{IntoResponse, Response},
};
use engine::config::ApiSettings;
use futures_util::future::BoxFuture;
use tower_http::timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    error::{ApiError, ErrorKind},
    upload_pace,
};

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

/// For uploads and waits: neither the whole body nor the answer has a deadline, but bodies have a least pace.
pub(crate) fn patient(routes: OpenApiRouter) -> OpenApiRouter {
    routes
        .layer(map_request(upload_pace::keep))
        .layer(RequestBodyTimeoutLayer::new(UPLOAD_PAUSE))
        .layer(DefaultBodyLimit::disable())
}

/// What is read of a small body on a route that takes uploads, too.
///
/// # Errors
/// 408 where the body comes too slowly.
pub fn in_time<'a, T>(
    read: impl Future<Output = Result<T, ApiError>> + Send + 'a,
) -> BoxFuture<'a, Result<T, ApiError>> {
    Box::pin(async move { tokio::time::timeout(BODY_DEADLINE, read).await.unwrap_or_else(|_| Err(too_slow())) })
}

/// The body of a request did not come in time.
pub(crate) fn too_slow() -> ApiError {
    let message = "the body came too slowly; send it again";
    ApiError::new(StatusCode::REQUEST_TIMEOUT, ErrorKind::InvalidRequestError, message)
}

async fn answer_within(timeout: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::unavailable("the answer took too long; try again later").into_response(),
    }
}
