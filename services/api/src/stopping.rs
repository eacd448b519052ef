//! What a service says while it is being stopped: that others have to be asked.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header::CONNECTION},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio_util::sync::CancellationToken;

use crate::error::ApiError;

/// They are of the process, which still lives.
const OF_THE_PROCESS: [&str; 2] = ["/live", "/metrics"];

/// Refuses requests that begin after the stop signal; those that began before go on.
pub(crate) async fn refuse(State(stop): State<CancellationToken>, request: Request, next: Next) -> Response {
    if !stop.is_cancelled() || OF_THE_PROCESS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let mut refused = ApiError::unavailable("the service is being stopped; try again").into_response();
    refused.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    refused
}
