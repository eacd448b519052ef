//! Logs and traces, set up in one place for every program. Logs go to stderr: stdout is for data. Traces go to the
//! OTLP collector that the settings name, if any; whatever becomes of it, the program goes on as if there were none.

mod traces;

use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{self, LogFormat, TelemetrySettings};

/// The settings do not make sense.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("LONGHAND_LOG is not a filter: {0}; an example is `info,engine=debug`")]
    LogFilter(#[from] tracing_subscriber::filter::ParseError),
    #[error(
        "LONGHAND_OTLP_ENDPOINT is {endpoint:?}, which is no address: {reason}; an example is `http://localhost:4317`"
    )]
    Endpoint { endpoint: String, reason: String },
}

/// Keeps traces flowing while it lives; sends the last ones, in a second at most, when it is dropped.
#[must_use = "traces end when it is dropped"]
pub struct Telemetry {
    _traces: Option<traces::Export>,
}

/// Sends all logs of this process to stderr, and its traces to the collector. To be called once, first thing, inside
/// the runtime.
///
/// # Errors
/// A filter or an address that does not parse. A collector that cannot be reached is no error.
pub fn start(settings: &TelemetrySettings, program: &'static str) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(&settings.filter)?;
    let traces = settings.otlp_endpoint.as_deref().map(|endpoint| traces::Export::start(endpoint, program));
    let traces = traces.transpose()?;
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match settings.format {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text => lines.with_ansi(config::wants_colour(&std::io::stderr())).boxed(),
    };
    let spans = traces.as_ref().map(traces::Export::layer);
    tracing_subscriber::registry().with(spans).with(lines.with_filter(filter)).init();
    Ok(Telemetry { _traces: traces })
}
