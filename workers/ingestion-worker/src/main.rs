//! Serves all workflows, and the activities of the ingest queue.

use clap::Parser;
use confique::Config;
use engine::{
    config::{
        self, HealthSettings, IngestSettings, StoreSettings, TelemetrySettings, WebhookSettings, WorkflowSettings,
    },
    health,
    store::Store,
    telemetry,
    temporal::{contracts::INGEST_QUEUE, worker},
};
use ingestion_worker::activities::IngestActivities;

/// Serves all workflows, and the activities of the ingest queue.
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

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let settings: Settings = config::load()?;
    if flags.healthy {
        return Ok(health::ask(&settings.health).await?);
    }
    let Settings { telemetry, health, store, workflows, ingest, webhooks } = settings;
    let _telemetry = telemetry::start(&telemetry, env!("CARGO_PKG_NAME"))?;
    let store = Store::open(&store)?;
    let slots = ingest.slots;
    worker::serve_activities_and_workflows(INGEST_QUEUE, slots, &workflows, &health, &telemetry, |stop| {
        IngestActivities::new(store, ingest, webhooks, stop)
    })
    .await?;
    Ok(())
}
