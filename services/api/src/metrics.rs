//! Prometheus metrics of the requests, and the page with all metrics of the process.
//!
//! Labels are route templates, methods and status codes: nothing that a client makes up.

use std::time::Duration;

use axum::{
    Router,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus::{
    Encoder, HistogramVec, IntCounterVec, IntGauge, TextEncoder, register_histogram_vec, register_int_counter_vec,
    register_int_gauge,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::error::ApiError;

/// Upper bounds of the latency's buckets in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0];

/// The counts of the HTTP requests; cheap to clone.
#[derive(Clone)]
pub(crate) struct RequestMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    in_flight: IntGauge,
}

impl RequestMetrics {
    /// To be called once in a process: all metrics are in prometheus's default registry.
    ///
    /// # Errors
    /// Another metric of the process has one of the names.
    pub(crate) fn register() -> Result<Self, prometheus::Error> {
        Ok(Self {
            requests: register_int_counter_vec!(
                "longhand_http_requests_total",
                "Requests answered",
                &["method", "route", "status"]
            )?,
            seconds: register_histogram_vec!(
                "longhand_http_request_seconds",
                "Time until the answer began",
                &["method", "route"],
                BUCKETS.to_vec()
            )?,
            in_flight: register_int_gauge!("longhand_http_requests_in_flight", "Requests being answered")?,
        })
    }

    /// Counts a request as in flight until the guard is dropped, be it because the client disconnected.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn answered(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let method = method_label(method);
        self.requests.with_label_values(&[method, route, status.as_str()]).inc();
        self.seconds.with_label_values(&[method, route]).observe(took.as_secs_f64());
    }
}

pub(crate) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Clients may make up methods; they all count as one.
fn method_label(method: &Method) -> &str {
    match *method {
        Method::GET | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::HEAD | Method::OPTIONS => {
            method.as_str()
        }
        _ => "other",
    }
}

/// For an address that serves nothing else.
pub(crate) fn alone() -> Router {
    routes().into()
}

pub(crate) fn routes() -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Counts and times in Prometheus's text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "All metrics of the process", body = String, content_type = "text/plain"),
))]
async fn metrics() -> Result<Response, ApiError> {
    let mut page = Vec::new();
    let encoder = TextEncoder::new();
    encoder.encode(&prometheus::gather(), &mut page).map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, encoder.format_type().to_owned())], page).into_response())
}
