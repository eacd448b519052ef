//! Serves the activities of the transcription queue.

use confique::Config;
use engine::{
    config::{self, CacheSettings, LogSettings, StoreSettings, TranscribeSettings},
    store::Store,
    telemetry,
    temporal::{contracts::TRANSCRIBE_QUEUE, worker},
};
use transcription_worker::{activities::TranscribeActivities, models::Models};

#[derive(Config)]
struct Settings {
    #[config(nested)]
    log: LogSettings,
    #[config(nested)]
    store: StoreSettings,
    #[config(nested)]
    cache: CacheSettings,
    #[config(nested)]
    transcribe: TranscribeSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings: Settings = config::load()?;
    telemetry::start(&settings.log)?;
    let store = Store::open(&settings.store)?;
    let slots = settings.transcribe.slots;
    let models = Models::new(settings.transcribe, settings.cache);
    worker::serve_activities(TRANSCRIBE_QUEUE, slots, |stop| TranscribeActivities::new(store, models, stop)).await?;
    Ok(())
}
