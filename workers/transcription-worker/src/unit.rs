//! Recognises a work unit in batches of chunks, as many at a time as there are sessions. The chunks of a batch are
//! written to the store as soon as it is recognised, or, where their languages are detected, as soon as their neighbours
//! are heard, too. So whatever kills the worker costs the chunks at hand, nothing else.

mod neighbours;
mod recognition;
mod warnings;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use engine::{
    error::StageError,
    events::Announcer,
    job::SpeechOptions,
    plan::Chunk,
    store::{Store, keys},
    temporal::{
        contracts::{UnitDone, UnitInput},
        metrics,
    },
    transcript::{ChunkTranscript, HeardLanguage},
};
use futures::{StreamExt, TryStreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::{audio, dispatcher::Model, downloads::AwaitedDownload, model_cache::ModelCache};
use recognition::UnitWork;

/// Checkpoints asked for at the same time; matters where the store is far away.
const READS_IN_FLIGHT: usize = 32;

/// How long a unit waits for weights that cannot be had now: other workers may have them, and are not kept from the job
/// by one that fails its units in a row.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// Between two attempts to have them.
const WEIGHTS_PAUSE: Duration = Duration::from_secs(10);

/// How far a unit is.
#[derive(Default)]
pub(crate) struct UnitState {
    /// Its chunks that are in the store.
    pub(crate) done: AtomicU32,
    pub(crate) awaited: AwaitedDownload,
}

/// Brings all chunks of a unit into the store.
pub(crate) async fn transcribe(
    store: &Store,
    models: &Arc<ModelCache>,
    announcer: &Announcer,
    input: &UnitInput,
    run_id: &str,
    state: &UnitState,
    stop: &CancellationToken,
) -> Result<UnitDone, StageError> {
    let UnitState { done, awaited } = state;
    let model = tokio::select! {
        model = patiently(models, &input.prepared.speech, awaited) => model?,
        () = stop.cancelled() => return Err(StageError::cancelled()),
    };
    if model.sha256 != input.prepared.model_sha256 {
        return Err(StageError::setup(format!(
            "this worker's weights of model {} differ from those that the job began with: \
             give all transcription workers the same file",
            model.name
        )));
    }
    let unit = audio::unit(store, &input.folder, input.unit).await?;
    let checkpoints = checkpoints(store, input, &unit.chunks, done).await?;
    let work = UnitWork { store, model: &model, announcer, input, run_id, done };
    tokio::select! {
        finished = work.recognise(&unit.chunks, checkpoints) => finished?,
        // Drops the batches, and so cancels what is asked for and what is being recognised.
        () = stop.cancelled() => return Err(StageError::cancelled()),
    }
    Ok(UnitDone { chunks: u32::try_from(unit.chunks.len()).unwrap_or(u32::MAX) })
}

async fn patiently(
    models: &Arc<ModelCache>,
    speech: &SpeechOptions,
    awaited: &AwaitedDownload,
) -> Result<Arc<Model>, StageError> {
    let begun = Instant::now();
    loop {
        match models.get(speech, awaited).await {
            Err(error) if error.is_retryable() && begun.elapsed() < PATIENCE => {
                tracing::warn!(%error, "the model cannot be had now");
                tokio::time::sleep(WEIGHTS_PAUSE).await;
            }
            settled => return settled,
        }
    }
}

/// What was heard in each chunk that has a checkpoint. One that cannot be read is none. Those that are there count as
/// done.
async fn checkpoints(
    store: &Store,
    input: &UnitInput,
    chunks: &[Chunk],
    done: &AtomicU32,
) -> Result<BTreeMap<u32, Vec<HeardLanguage>>, StageError> {
    let reads = chunks.iter().map(|chunk| async move {
        let key = keys::chunk(&input.folder, &input.prepared.decode_config_hash, chunk.index);
        Ok::<_, StageError>((chunk.index, store.find_json::<ChunkTranscript>(&key).await?))
    });
    let reads: Vec<_> = reads.collect();
    let mut reads = stream::iter(reads).buffered(READS_IN_FLIGHT);
    let mut heard = BTreeMap::new();
    while let Some((chunk, checkpoint)) = reads.try_next().await? {
        if let Some(checkpoint) = checkpoint {
            metrics::chunk_reused();
            done.fetch_add(1, Ordering::Relaxed);
            heard.insert(chunk, checkpoint.heard);
        }
    }
    Ok(heard)
}
