//! Serves all workflows, and the activities that mostly move data.

use clap::Parser;
use confique::Config;
use engine::{
    config::{
        self, HealthSettings, HousekeepingSettings, IngestSettings, StoreSettings, TelemetrySettings, WebhookSettings,
        WorkflowSettings,
    },
    program::WorkerProgram,
    store::Store,
    temporal::{contracts::HOUSEKEEPING_QUEUE, worker::Queue},
    webhook::WebhookSecrets,
};
use ingestion_worker::activities::{HousekeepingActivities, IngestActivities};
use tokio_util::sync::CancellationToken;

/// Jobs that are purged at the same time, a round of housekeeping among them.
const HOUSEKEEPING_SLOTS: usize = 4;

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
    #[config(nested)]
    housekeeping: HousekeepingSettings,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let Settings { telemetry, health, store, workflows, ingest, webhooks, housekeeping } = config::load()?;
    if !flags.healthy {
        // Said now rather than with the first message.
        WebhookSecrets::read(&webhooks)?;
    }
    let program = WorkerProgram { name: env!("CARGO_PKG_NAME"), telemetry, health, store };
    let queues = Box::new(|store: Store, stop: CancellationToken| {
        let of_housekeeping = HousekeepingActivities::new(store.clone(), housekeeping, stop.clone());
        let schedule = of_housekeeping.schedule();
        let of_housekeeping = Queue::of_activities(HOUSEKEEPING_QUEUE, HOUSEKEEPING_SLOTS, of_housekeeping);
        let activities = IngestActivities::new(store, ingest, webhooks, stop);
        let mut queues = vec![Queue::of_workflows(&workflows, activities.clone())?];
        queues.extend(activities.queues());
        queues.push(of_housekeeping.with_housekeeping(schedule));
        Ok(queues)
    });
    Ok(program.run(flags.healthy, queues)?)
}
