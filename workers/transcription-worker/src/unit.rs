//! Recognises a work unit in batches of chunks, as many at a time as there are sessions. The chunks of a batch are
//! written to the store as soon as it is recognised, so whatever kills the worker costs the batches at hand, nothing
//! else.

use std::{
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
    plan::{Chunk, SAMPLE_RATE},
    store::{Created, Store, keys},
    temporal::{
        contracts::{UnitDone, UnitInput},
        metrics,
    },
    transcript::{ChunkTranscript, Segment},
};
use futures::{StreamExt, TryStreamExt, future, stream};
use tokio_util::sync::CancellationToken;

use crate::{
    audio,
    dispatcher::{Model, RecognisedChunk},
    downloads::AwaitedDownload,
    model_cache::ModelCache,
    recogniser::{RecogniseOptions, Recognition},
    scheduler::Priority,
};

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
    let missing = missing(store, input, &unit.chunks, done).await?;
    let batches: Vec<_> = batches(&model, &missing)
        .into_iter()
        .map(|batch| async {
            let pcm = load(store, input, &batch).await?;
            let transcripts = recognise(&model, input, &batch, pcm, run_id).await?;
            for (chunk, transcript) in batch.into_iter().zip(transcripts) {
                write(store, input, &transcript).await?;
                announcer.announce(keys::chunks(&input.folder, &input.prepared.decode_config_hash));
                let audio_s = chunk.length as f64 / f64::from(SAMPLE_RATE);
                metrics::chunk_recognised(audio_s, transcript.seconds, transcript.fallbacks);
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), StageError>(())
        })
        .collect();
    // One more than can be at work: its audio is read meanwhile.
    let finished = stream::iter(batches).buffer_unordered(model.layout.sessions + 1).try_collect::<()>();
    tokio::select! {
        finished = finished => finished?,
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

/// The chunks that have no checkpoint yet, or none that can be read; the others count as done.
async fn missing<'a>(
    store: &Store,
    input: &UnitInput,
    chunks: &'a [Chunk],
    done: &AtomicU32,
) -> Result<Vec<&'a Chunk>, StageError> {
    let checks = chunks.iter().map(|chunk| async move {
        let key = keys::chunk(&input.folder, &input.prepared.decode_config_hash, chunk.index);
        Ok::<_, StageError>((chunk, store.find_json::<ChunkTranscript>(&key).await?.is_some()))
    });
    let checks: Vec<_> = checks.collect();
    let mut checkpoints = stream::iter(checks).buffered(READS_IN_FLIGHT);
    let mut missing = Vec::new();
    while let Some((chunk, exists)) = checkpoints.try_next().await? {
        if exists {
            metrics::chunk_reused();
            done.fetch_add(1, Ordering::Relaxed);
        } else {
            missing.push(chunk);
        }
    }
    Ok(missing)
}

/// The chunks that are recognised together. The first one of a recording goes alone: somebody may be watching.
fn batches<'a>(model: &Model, chunks: &[&'a Chunk]) -> Vec<Vec<&'a Chunk>> {
    let (alone, others) = match chunks.split_first() {
        Some((first, others)) if is_first(first) => (Some(vec![*first]), others),
        _ => (None, chunks),
    };
    let samples: Vec<usize> = others.iter().map(|chunk| chunk.length as usize).collect();
    let batches = model.recogniser.batches(&samples);
    let together = batches.into_iter().map(|indices| indices.into_iter().map(|index| others[index]).collect());
    alone.into_iter().chain(together).collect()
}

/// Whether the recording begins with this chunk.
fn is_first(chunk: &Chunk) -> bool {
    chunk.index == 0
}

/// The audio of a batch.
async fn load(store: &Store, input: &UnitInput, chunks: &[&Chunk]) -> Result<Vec<Vec<f32>>, StageError> {
    future::try_join_all(chunks.iter().map(|chunk| audio::chunk_pcm(store, &input.folder, input.unit, chunk))).await
}

/// The transcript of each chunk of a batch.
async fn recognise(
    model: &Arc<Model>,
    input: &UnitInput,
    chunks: &[&Chunk],
    pcm: Vec<Vec<f32>>,
    run_id: &str,
) -> Result<Vec<ChunkTranscript>, StageError> {
    let SpeechOptions { language, task, prompt, words, .. } = input.prepared.speech.clone();
    let options = RecogniseOptions { language: language.clone(), task, prompt, words };
    let has_first = chunks.first().is_some_and(|chunk| is_first(chunk));
    let priority = if has_first { Priority::First } else { Priority::Normal };
    let recognised = model.recognise(priority, pcm, options).await?;
    let transcripts = chunks.iter().zip(recognised).map(|(chunk, RecognisedChunk { recognition, seconds })| {
        let Recognition { segments, fallbacks } = recognition;
        ChunkTranscript {
            chunk: chunk.index,
            run_id: run_id.to_owned(),
            language: language.clone(),
            segments: in_recording(chunk, segments),
            fallbacks,
            seconds,
        }
    });
    Ok(transcripts.collect())
}

/// The segments of a chunk with the times of the recording.
fn in_recording(chunk: &Chunk, mut segments: Vec<Segment>) -> Vec<Segment> {
    for segment in &mut segments {
        segment.start = chunk.source_time(segment.start);
        segment.end = chunk.source_time(segment.end);
        for word in &mut segment.words {
            word.start = chunk.source_time(word.start);
            word.end = chunk.source_time(word.end);
        }
    }
    segments
}

/// Writes a checkpoint unless it is there already, and leaves a mark in that case: the result
/// tells how many chunks were computed twice.
async fn write(store: &Store, input: &UnitInput, transcript: &ChunkTranscript) -> Result<(), StageError> {
    let key = keys::chunk(&input.folder, &input.prepared.decode_config_hash, transcript.chunk);
    if store.create_json(&key, transcript).await? == Created::Before {
        tracing::warn!(chunk = transcript.chunk, "another worker finished the chunk first");
        let mark =
            keys::recomputed(&input.folder, &input.prepared.decode_config_hash, &transcript.run_id, transcript.chunk);
        store.write_json(&mark, transcript).await?;
    }
    Ok(())
}
