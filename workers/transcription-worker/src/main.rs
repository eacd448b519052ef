//! Serves the activities of the transcription queue.

use clap::Parser;
use confique::Config;
use engine::{
    config::{
        self, CacheSettings, HealthSettings, ModelSettings, RedisSettings, StoreSettings, TelemetrySettings,
        TranscribeSettings,
    },
    events::Announcer,
    native_env::{MemoryPolicy, reexec_with_native_env},
    program::WorkerProgram,
};
use models::{AllowedModels, Cache};
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
    models: ModelSettings,
    #[config(nested)]
    transcribe: TranscribeSettings,
}

fn main() -> anyhow::Result<()> {
    reexec_with_native_env(if cfg!(feature = "ctranslate2") {
        MemoryPolicy::KeepFreedMemory
    } else {
        MemoryPolicy::ReturnFreedMemory
    });
    let flags = Flags::parse();
    let Settings { telemetry, health, store, redis, cache, models, transcribe } = config::load()?;
    let (allowed, cache) = (AllowedModels::of(&models)?, Cache::of(&cache));
    let program = WorkerProgram { name: env!("CARGO_PKG_NAME"), telemetry, health, store };
    let queues = Box::new(|store, stop| {
        let announcer = Announcer::open(&redis)?;
        // The dispatcher shares the cores out among activities, batch by batch.
        let units = layout::units(&transcribe);
        let activities = TranscribeActivities::new(store, ModelCache::new(transcribe, allowed, cache), announcer, stop);
        Ok(activities.queues(units))
    });
    Ok(program.run(flags.healthy, queues)?)
}
