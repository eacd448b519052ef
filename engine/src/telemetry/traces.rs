//! Spans on their way to an OTLP collector: collected in memory, sent by a thread of their own, dropped where the
//! collector is away or too slow. That is logged once, and once more when it is back.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter},
};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::LevelFilter, registry::LookupSpan};
use url::Url;

use super::TelemetryError;
use crate::temporal::spans::{self, SpanIds};

/// A batch that the collector has not taken by then is dropped.
const SEND_TIMEOUT: Duration = Duration::from_secs(3);

/// What the end of a program may be late for the last spans.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Export {
    provider: SdkTracerProvider,
}

impl Export {
    pub(super) fn start(endpoint: &str, program: &'static str) -> Result<Self, TelemetryError> {
        let refused = |reason: String| TelemetryError::Endpoint { endpoint: endpoint.to_owned(), reason };
        Url::parse(endpoint).map_err(|error| refused(error.to_string()))?;
        crate::tls::install_provider();
        let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic();
        let exporter = exporter.with_endpoint(endpoint).with_timeout(SEND_TIMEOUT).build();
        let exporter = exporter.map_err(|error| refused(error.to_string()))?;
        let exporter =
            LogTransitions { inner: exporter, endpoint: endpoint.to_owned(), failing: AtomicBool::new(false) };
        let provider = SdkTracerProvider::builder()
            // Workflows are replayed: their spans get the same ids each time.
            .with_id_generator(SpanIds::default())
            .with_resource(Resource::builder().with_service_name(program).build())
            .with_span_processor(BatchSpanProcessor::builder(exporter).build())
            .build();
        global::set_tracer_provider(provider.clone());
        global::set_text_map_propagator(TraceContextPropagator::new());
        spans::enable();
        Ok(Self { provider })
    }

    /// Makes spans of `tracing` spans of the trace. The SDK's own debug spans stay out.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = self.provider.tracer("longhand");
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(LevelFilter::INFO)
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // What is lost here was said by the exporter.
        self.provider.shutdown_with_timeout(FLUSH_TIMEOUT).ok();
    }
}

/// Tells in the log when sending begins to fail, and when it works again, and nothing in between.
#[derive(Debug)]
struct LogTransitions<E> {
    inner: E,
    endpoint: String,
    failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for LogTransitions<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.inner.export(batch).await;
        match (&sent, self.failing.swap(sent.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => tracing::warn!(
                endpoint = self.endpoint,
                %error,
                "traces do not reach the collector and are dropped until they do; everything else goes on"
            ),
            (Ok(()), true) => tracing::info!(endpoint = self.endpoint, "traces reach the collector again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
