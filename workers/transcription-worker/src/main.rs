//! Serves the activities of the transcription queue.

use clap::Parser;
use confique::Config;
use engine::{
    config::{
        self, CacheSettings, HealthSettings, RedisSettings, StoreSettings, TelemetrySettings, TranscribeSettings,
    },
    events::Announcer,
    health,
    store::Store,
    telemetry,
    temporal::{contracts::TRANSCRIBE_QUEUE, worker},
};
use transcription_worker::{activities::TranscribeActivities, models::Models};

/// Serves the activities of the transcription queue.
///
/// Settings come from the environment, a `.env` file, or the TOML file that LONGHAND_CONFIG names.
#[derive(Parser)]
#[command(version, after_help = "Example:\n  TEMPORAL_ADDRESS=temporal:7233 transcription-worker")]
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
    redis: RedisSettings,
    #[config(nested)]
    cache: CacheSettings,
    #[config(nested)]
    transcribe: TranscribeSettings,
}

fn main() -> anyhow::Result<()> {
    config::settle_native_libraries();
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
    let announcer = Announcer::open(&settings.redis)?;
    let slots = settings.transcribe.slots;
    let models = Models::new(settings.transcribe, settings.cache);
    worker::serve_activities(TRANSCRIBE_QUEUE, slots, &settings.health, &settings.telemetry, |stop| {
        TranscribeActivities::new(store, models, announcer, stop)
    })
    .await?;
    Ok(())
}
