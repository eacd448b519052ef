//! Serves the activities of the LLM queue.

use confique::Config;
use engine::{
    config::{self, CacheSettings, LlmSettings, LogSettings, StoreSettings},
    store::Store,
    telemetry,
    temporal::{contracts::LLM_QUEUE, worker},
};
use llm_worker::activities::LlmActivities;

#[derive(Config)]
struct Settings {
    #[config(nested)]
    log: LogSettings,
    #[config(nested)]
    store: StoreSettings,
    #[config(nested)]
    cache: CacheSettings,
    #[config(nested)]
    llm: LlmSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings: Settings = config::load()?;
    telemetry::start(&settings.log)?;
    let store = Store::open(&settings.store)?;
    let slots = settings.llm.slots;
    worker::serve_activities(LLM_QUEUE, slots, |stop| LlmActivities::new(store, settings.cache, settings.llm, stop))
        .await?;
    Ok(())
}
