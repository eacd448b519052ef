//! Serves all workflows, and the activities that mostly move data.

use clap::Parser;
use confique::Config;
use engine::{
    config::{
        self, HealthSettings, IngestSettings, StoreSettings, TelemetrySettings, WebhookSettings, WorkflowSettings,
    },
    program::WorkerProgram,
    temporal::worker::Queue,
};
use ingestion_worker::activities::IngestActivities;

/// Serves all workflows, and the activities that mostly move data.
///
/// Settings come from the environment, a `.env` file, or the TOML file that LONGHAND_CONFIG names.
#[derive(Parser)]
#[command(version, after_help = "Example:\n  TEMPORAL_ADDRESS=temporal:7233 ingestion-worker")]
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
    workflows: WorkflowSettings,
    #[config(nested)]
    ingest: IngestSettings,
    #[config(nested)]
    webhooks: WebhookSettings,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let Settings { telemetry, health, store, workflows, ingest, webhooks } = config::load()?;
    let program = WorkerProgram { name: env!("CARGO_PKG_NAME"), telemetry, health, store };
    let queues = Box::new(|store, stop| {
        let activities = IngestActivities::new(store, ingest, webhooks, stop);
        let mut queues = vec![Queue::of_workflows(&workflows, activities.clone())?];
        queues.extend(activities.queues());
        Ok(queues)
    });
    Ok(program.run(flags.healthy, queues)?)
}
