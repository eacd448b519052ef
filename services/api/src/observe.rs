//! What is recorded of every request: its id to the client, a line to the log, its time to the metrics.
//!
//! Queries, headers and bodies stay out of it: they may hold keys, audio and text.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;
use uuid::Uuid;

use crate::{access::Client, metrics::RequestMetrics};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids of clients are replaced.
const MAX_ID_LENGTH: usize = 128;

/// The route of requests that match none.
const NO_ROUTE: &str = "none";

/// Routes that are asked every few seconds, which is not worth a line each time.
const PROBES: [&str; 4] = ["/health", "/live", "/ready", "/metrics"];

pub(crate) async fn observe(State(metrics): State<RequestMetrics>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        otel.kind = "server",
        otel.name = format!("{method} {route}"),
        http.request.method = %method,
        http.route = route,
    );
    let _in_flight = metrics.begin();
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = started.elapsed();
    metrics.answered(&method, route, response.status(), took);
    span.in_scope(|| log(route, &response, took.as_secs_f64() * 1000.0));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn log(route: &str, response: &Response, milliseconds: f64) {
    let status = response.status().as_u16();
    let client = response.extensions().get::<Client>().map(Client::name);
    let ms = (milliseconds * 10.0).round() / 10.0;
    if response.status().is_server_error() {
        tracing::warn!(status, ms, client, "answered");
    } else if PROBES.contains(&route) {
        tracing::debug!(status, ms, client, "answered");
    } else {
        tracing::info!(status, ms, client, "answered");
    }
}

/// The client's own id, if it is one that can stand in a log, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let fits = |id: &&HeaderValue| {
        let id = id.as_bytes();
        (1..=MAX_ID_LENGTH).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
    };
    headers.get(REQUEST_ID).filter(fits).cloned().unwrap_or_else(|| {
        let id = Uuid::now_v7().simple().to_string();
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{REQUEST_ID, request_id};

    #[test]
    fn a_clients_id_is_taken_on_if_a_log_can_hold_it() {
        for (sent, kept) in [("a-1", true), ("x y", false), ("ä", false), (&"x".repeat(129), false), ("", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(sent.as_bytes()).unwrap());
            let id = request_id(&headers);
            assert_eq!(id.as_bytes() == sent.as_bytes(), kept, "{sent}");
            assert!(!id.is_empty());
        }
    }
}
