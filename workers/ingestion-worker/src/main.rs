//! Serves all workflows, and the activities of the ingest queue.

use confique::Config;
use engine::{
    config::{self, IngestSettings, LogSettings, StoreSettings},
    store::Store,
    telemetry,
    temporal::{contracts::INGEST_QUEUE, worker},
};
use ingestion_worker::activities::IngestActivities;

#[derive(Config)]
struct Settings {
    #[config(nested)]
    log: LogSettings,
    #[config(nested)]
    store: StoreSettings,
    #[config(nested)]
    ingest: IngestSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings: Settings = config::load()?;
    telemetry::start(&settings.log)?;
    let store = Store::open(&settings.store)?;
    let slots = settings.ingest.slots;
    worker::serve_activities_and_workflows(INGEST_QUEUE, slots, |stop| {
        IngestActivities::new(store, settings.ingest, stop)
    })
    .await?;
    Ok(())
}
