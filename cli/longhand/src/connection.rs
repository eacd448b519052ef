//! The store and the Temporal server, as the settings name them.

use confique::Config;
use engine::{
    config::{self, LogFormat, StoreSettings, TelemetrySettings},
    store::Store,
    telemetry,
    temporal::client::Jobs,
};

#[derive(Config)]
struct Settings {
    #[config(nested)]
    log: QuietLog,
    #[config(nested)]
    store: StoreSettings,
}

/// The log settings of all programs, silent by default: what a user has to know is told without a log.
#[derive(Config)]
struct QuietLog {
    #[config(env = "LONGHAND_LOG", default = "off")]
    filter: String,
    #[config(env = "LONGHAND_LOG_FORMAT", default = "text")]
    format: LogFormat,
}

/// Both ends of a job: what runs it and where it leaves its results.
pub(crate) struct Connection {
    pub(crate) jobs: Jobs,
    pub(crate) store: Store,
}

impl Connection {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let store = open_store()?;
        Ok(Self { jobs: Jobs::connect().await?, store })
    }
}

/// The store alone, for commands that need no server.
pub(crate) fn open_store() -> anyhow::Result<Store> {
    let settings: Settings = config::load()?;
    let QuietLog { filter, format } = settings.log;
    let quiet = TelemetrySettings { filter, format, otlp_endpoint: None, metrics_address: None };
    // Without a collector there is nothing to keep alive.
    drop(telemetry::start(&quiet, env!("CARGO_PKG_NAME"))?);
    Ok(Store::open(&settings.store)?)
}
