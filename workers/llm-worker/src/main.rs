//! Serves the activities of the LLM queue.

use clap::Parser;
use confique::Config;
use engine::{
    config::{self, CacheSettings, HealthSettings, LlmSettings, StoreSettings, TelemetrySettings},
    program::WorkerProgram,
    temporal::{contracts::LLM_QUEUE, worker::Queue},
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
    let flags = Flags::parse();
    let Settings { telemetry, health, store, cache, llm } = config::load()?;
    let program = WorkerProgram { name: env!("CARGO_PKG_NAME"), telemetry, health, store };
    let queues = Box::new(|store, stop| {
        let slots = llm.slots;
        Ok(vec![Queue::of_activities(LLM_QUEUE, slots, LlmActivities::new(store, cache, llm, stop))])
    });
    Ok(program.run(flags.healthy, queues)?)
}
