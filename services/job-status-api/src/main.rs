//! Tells how jobs stand: over HTTP, as live events, and on a web page.

mod answers;
mod audio;
mod byte_range;
mod deliveries;
mod etag;
mod events;
mod job_view;
mod jobs;
mod page;
mod recordings;
mod routes;
mod status;
mod transcript;

use api::Dependencies;
use clap::Parser;
use confique::Config;
use engine::{
    config::{self, ApiSettings, JobStatusApiSettings, LinkSettings, RedisSettings, StoreSettings, TelemetrySettings},
    events::Notifications,
    telemetry,
};

/// Tells how jobs stand: over HTTP, as live events, and on a web page.
///
/// Settings come from the environment, a `.env` file, or the TOML file that LONGHAND_CONFIG names.
#[derive(Parser)]
#[command(version, after_help = "Example:\n  LONGHAND_JOB_STATUS_API_ADDRESS=127.0.0.1:9001 job-status-api")]
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
    api: ApiSettings,
    #[config(nested)]
    job_status_api: JobStatusApiSettings,
    #[config(nested)]
    links: LinkSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let settings: Settings = config::load()?;
    let address = settings.job_status_api.address;
    if flags.healthy {
        return Ok(api::ask_ready(address).await?);
    }
    let _telemetry = telemetry::start(&settings.telemetry, env!("CARGO_PKG_NAME"))?;
    let dependencies = Dependencies::open(&settings.store, &settings.redis).await?;
    let notifications = Notifications::subscribe(&settings.redis)?;
    let stop = api::stop_signal();
    let service = routes::api(&dependencies, notifications, &settings.api, &settings.links, stop.clone());
    Ok(api::serve(service, address, &settings.api, dependencies, stop).await?)
}
