//! A transcription worker that hears nothing, for tests: it writes the checkpoints of every chunk at once, so that what
//! orchestrates recognition can be seen at work on months of speech. No image has it.

use std::sync::Arc;

use confique::Config;
use engine::{
    config::{self, HealthSettings, StoreSettings, TelemetrySettings},
    plan::WorkUnit,
    program::WorkerProgram,
    store::{Store, keys},
    temporal::{
        activity,
        contracts::{
            Prepare, PrepareInput, Prepared, TRANSCRIBE_FIRST_QUEUE, TRANSCRIBE_QUEUE, TranscribeUnit, UnitDone,
            UnitInput,
        },
        worker::Queue,
    },
    transcript::ChunkTranscript,
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio_util::sync::CancellationToken;

/// Units at once: it waits for the store and the server only.
const UNITS: usize = 16;

#[derive(Config)]
struct Settings {
    #[config(nested)]
    telemetry: TelemetrySettings,
    #[config(nested)]
    health: HealthSettings,
    #[config(nested)]
    store: StoreSettings,
}

#[derive(Clone)]
pub struct NoopRecogniser {
    store: Store,
    stop: CancellationToken,
}

#[activities]
impl NoopRecogniser {
    #[activity(definition = Prepare)]
    pub async fn prepare(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: PrepareInput,
    ) -> Result<Prepared, ActivityError> {
        let work = |_| async {
            let mut speech = input.speech;
            speech.model = Some("noop".to_owned());
            "en".clone_into(&mut speech.language);
            let [model_sha256, recogniser, decode_config_hash] = ["", "noop", "noop"].map(str::to_owned);
            Ok(Prepared { speech, model_sha256, recogniser, decode_config_hash })
        };
        activity::run(&ctx, &self.stop, || (), work).await
    }

    #[activity(definition = TranscribeUnit)]
    pub async fn transcribe_unit(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: UnitInput,
    ) -> Result<UnitDone, ActivityError> {
        let run_id = activity::run_of_job(&ctx, input.run.as_deref());
        let (store, input, run_id) = (&self.store, &input, &run_id);
        let work = |_| async move {
            let unit: WorkUnit = store.read_json(&keys::unit(&input.folder, input.unit)).await?;
            for chunk in &unit.chunks {
                let key = keys::chunk(&input.folder, &input.prepared.decode_config_hash, chunk.index);
                store.create_json(&key, &nothing_heard(chunk.index, run_id)).await?;
            }
            Ok(UnitDone { chunks: u32::try_from(unit.chunks.len()).unwrap_or(u32::MAX) })
        };
        activity::run(&ctx, &self.stop, || (), work).await
    }
}

fn nothing_heard(chunk: u32, run_id: &str) -> ChunkTranscript {
    ChunkTranscript {
        chunk,
        run_id: run_id.to_owned(),
        language: "en".to_owned(),
        segments: Vec::new(),
        fallbacks: 0,
        seconds: 0.0,
    }
}

fn main() -> anyhow::Result<()> {
    let Settings { telemetry, health, store } = config::load()?;
    let program = WorkerProgram { name: "noop-recogniser", telemetry, health, store };
    let queues = Box::new(|store, stop| {
        let worker = NoopRecogniser { store, stop };
        let queues = [TRANSCRIBE_FIRST_QUEUE, TRANSCRIBE_QUEUE];
        Ok(queues.map(|queue| Queue::of_activities(queue, UNITS, worker.clone())).into())
    });
    Ok(program.run(false, queues)?)
}
