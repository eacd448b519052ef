//! Takes recordings in over HTTP and starts jobs.

mod asked;
mod batches;
mod form;
mod idempotency;
mod ingestion;
mod jobs;
mod models;
mod openai;
mod paced;
mod routes;
mod upload;

use api::Dependencies;
use clap::Parser;
use confique::Config;
use engine::{
    config::{
        self, ApiSettings, IngestSettings, IngestionApiSettings, LinkSettings, RedisSettings, StoreSettings,
        TelemetrySettings,
    },
    events::Notifications,
    telemetry,
};

/// Takes recordings in over HTTP and starts jobs.
///
/// Settings come from the environment, a `.env` file, or the TOML file that LONGHAND_CONFIG names.
#[derive(Parser)]
#[command(version, after_help = "Example:\n  LONGHAND_INGESTION_API_ADDRESS=127.0.0.1:9000 ingestion-api")]
struct Flags {
    /// Only ask the service that runs here whether it is ready: 0 yes, 1 no
    #[arg(long)]
    healthy: bool,
}

#[derive(Config)]
struct Settings {
    #[config(nested)]
    telemetry: TelemetrySettings,
    #[config(nested)]
    store: StoreSettings,
    #[config(nested)]
    redis: RedisSettings,
    #[config(nested)]
    ingest: IngestSettings,
    #[config(nested)]
    api: ApiSettings,
    #[config(nested)]
    ingestion_api: IngestionApiSettings,
    #[config(nested)]
    links: LinkSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let settings: Settings = config::load()?;
    let address = settings.ingestion_api.address;
    if flags.healthy {
        return Ok(api::ask_ready(address).await?);
    }
    let _telemetry = telemetry::start(&settings.telemetry, "ingestion-api")?;
    let dependencies = Dependencies::open(&settings.store, &settings.redis).await?;
    let notifications = Notifications::subscribe(&settings.redis)?;
    let stop = api::stop_signal();
    let service =
        routes::api(&dependencies, notifications, &settings.ingest, &settings.api, &settings.links, stop.clone());
    Ok(api::serve(service, address, &settings.api, dependencies, stop).await?)
}
