//! Streams that end with the key that opened them: a job may go on for hours after its reader's key was revoked.

use axum::{body::Body, http::header::CONTENT_TYPE, response::Response};
use engine::api_keys::{ApiKey, ApiKeys};
use futures_util::StreamExt;
use tokio::sync::watch;

/// The answer as it is, where it is no stream of events.
pub(crate) fn end_with_key(response: Response, key: ApiKey, keys: watch::Receiver<ApiKeys>) -> Response {
    let is_stream = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == b"text/event-stream");
    if !is_stream {
        return response;
    }
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(revoked(key, keys)))))
}

/// Waits until the key is not let in any more, or opens another tenant's jobs.
async fn revoked(key: ApiKey, mut keys: watch::Receiver<ApiKeys>) {
    let is_out = |keys: &ApiKeys| keys.iter().all(|known| *known != key);
    if keys.wait_for(is_out).await.is_err() {
        // Nobody reads the file any more.
        std::future::pending::<()>().await;
    }
}
