//! Serves the activities of the LLM queue.

use clap::Parser;
use confique::Config;
use engine::{
    config::{self, CacheSettings, Freed, HealthSettings, LlmSettings, StoreSettings, TelemetrySettings},
    health,
    store::Store,
    telemetry,
    temporal::{contracts::LLM_QUEUE, worker},
};
use llm_worker::activities::LlmActivities;

/// Serves the activities of the LLM queue.
///
/// Settings come from the environment, a `.env` file, or the TOML file that LONGHAND_CONFIG names.
#[derive(Parser)]
#[command(version, after_help = "Example:\n  TEMPORAL_ADDRESS=temporal:7233 llm-worker")]
struct Flags {
    /// Only ask the worker that runs here whether it works: 0 yes, 1 no
    #[arg(long)]
    healthy: bool,
}

#[derive(Config)]
struct Settings {
    #[config(nested)]
    telemetry: TelemetrySettings,
    #[config(nested)]
    health: HealthSettings,
    #[config(nested)]
    store: StoreSettings,
    #[config(nested)]
    cache: CacheSettings,
    #[config(nested)]
    llm: LlmSettings,
}

fn main() -> anyhow::Result<()> {
    config::settle_native_libraries(Freed::Returned);
    serve(Flags::parse())
}

#[tokio::main]
async fn serve(flags: Flags) -> anyhow::Result<()> {
    let settings: Settings = config::load()?;
    if flags.healthy {
        return Ok(health::ask(&settings.health).await?);
    }
    let _telemetry = telemetry::start(&settings.telemetry, env!("CARGO_PKG_NAME"))?;
    let store = Store::open(&settings.store)?;
    let slots = settings.llm.slots;
    worker::serve_activities([(LLM_QUEUE, slots)], &settings.health, &settings.telemetry, |stop| {
        [LlmActivities::new(store, settings.cache, settings.llm, stop)]
    })
    .await?;
    Ok(())
}
