//! Serves the activities of the transcription queue.

use clap::Parser;
use confique::Config;
use engine::{
    config::{
        self, CacheSettings, Freed, HealthSettings, RedisSettings, StoreSettings, TelemetrySettings, TranscribeSettings,
    },
    events::Announcer,
    health,
    store::Store,
    telemetry,
    temporal::{
        contracts::{TRANSCRIBE_FIRST_QUEUE, TRANSCRIBE_QUEUE},
        worker,
    },
};
use transcription_worker::{activities::TranscribeActivities, layout, model_cache::ModelCache};

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

/// First units that a worker takes beyond those it can work on. Those of long recordings go on for a while, and must
/// not keep clips out.
const EXTRA_FIRST_UNITS: usize = 15;

fn main() -> anyhow::Result<()> {
    let freed = if cfg!(feature = "ctranslate2") { Freed::Kept } else { Freed::Returned };
    config::settle_native_libraries(freed);
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
    // The dispatcher shares the cores out among activities, batch by batch.
    let units = layout::units(&settings.transcribe);
    let queues = [(TRANSCRIBE_FIRST_QUEUE, units + EXTRA_FIRST_UNITS), (TRANSCRIBE_QUEUE, units)];
    let models = ModelCache::new(settings.transcribe, settings.cache);
    worker::serve_activities(queues, &settings.health, &settings.telemetry, |stop| {
        let activities = TranscribeActivities::new(store, models, announcer, stop);
        [activities.clone(), activities]
    })
    .await?;
    Ok(())
}
