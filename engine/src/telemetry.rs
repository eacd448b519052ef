//! Logs, set up in one place for every program. They go to stderr: stdout is for data.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{self, LogFormat, LogSettings};

/// The filter in `LONGHAND_LOG` does not parse.
#[derive(Debug, thiserror::Error)]
#[error("LONGHAND_LOG is not a filter: {0}; an example is `info,engine=debug`")]
pub struct LogFilterError(#[from] tracing_subscriber::filter::ParseError);

/// Sends all logs of this process to stderr. To be called once, first thing.
pub fn start(settings: &LogSettings) -> Result<(), LogFilterError> {
    let registry = tracing_subscriber::registry().with(EnvFilter::try_new(&settings.filter)?);
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    match settings.format {
        LogFormat::Json => registry.with(lines.json()).init(),
        LogFormat::Text => {
            let colour = config::wants_colour(&std::io::stderr());
            registry.with(lines.with_ansi(colour)).init();
        }
    }
    Ok(())
}
