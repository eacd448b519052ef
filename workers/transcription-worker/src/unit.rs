//! Recognises a work unit chunk by chunk. Each finished chunk is in the store before the next
//! begins, so whatever kills the worker costs the chunk at hand and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use engine::{
    error::StageError,
    events::Announcer,
    plan::{Chunk, SAMPLE_RATE},
    store::{Created, Store, keys},
    temporal::{
        contracts::{UnitDone, UnitInput},
        metrics,
    },
    transcript::ChunkTranscript,
};
use tokio_util::sync::CancellationToken;

use crate::{
    audio,
    cancel::{Flag, flag_of},
    models::{Model, Models},
    prepare::stage_error,
    recogniser::{RecogniseOptions, Recognition},
};

/// Brings all chunks of a unit into the store; `done` counts them as they get there.
pub(crate) async fn transcribe(
    store: &Store,
    models: &Models,
    announcer: &Announcer,
    input: &UnitInput,
    run_id: &str,
    done: &AtomicU32,
    stop: &CancellationToken,
) -> Result<UnitDone, StageError> {
    let model = models.get(input.prepared.speech.model.as_deref()).await?;
    if model.sha256 != input.prepared.model_sha256 {
        return Err(StageError::setup(format!(
            "this worker's weights of model {} differ from those that the job began with: \
             give all transcription workers the same file",
            model.name
        )));
    }
    let unit = audio::unit(store, &input.folder, input.unit).await?;
    let flag = flag_of(stop);
    for chunk in &unit.chunks {
        if stop.is_cancelled() {
            return Err(StageError::cancelled());
        }
        let key = keys::chunk(&input.folder, &input.prepared.recipe, chunk.index);
        if store.exists(&key).await? {
            metrics::chunk_reused();
        } else {
            let transcript = recognise(store, &model, input, chunk, run_id, &flag).await?;
            write(store, input, &key, &transcript).await?;
            announcer.announce(keys::chunks(&input.folder, &input.prepared.recipe));
            let audio_s = chunk.length as f64 / f64::from(SAMPLE_RATE);
            metrics::chunk_recognised(audio_s, transcript.seconds, transcript.fallbacks);
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(UnitDone { chunks: u32::try_from(unit.chunks.len()).unwrap_or(u32::MAX) })
}

async fn recognise(
    store: &Store,
    model: &Arc<Model>,
    input: &UnitInput,
    chunk: &Chunk,
    run_id: &str,
    flag: &Flag,
) -> Result<ChunkTranscript, StageError> {
    let pcm = audio::chunk_pcm(store, &input.folder, input.unit, chunk).await?;
    let speech = &input.prepared.speech;
    let options = RecogniseOptions {
        language: speech.language.clone(),
        task: speech.task,
        prompt: speech.prompt.clone(),
        words: speech.words,
    };
    let cancelled = flag.shared();
    let started = Instant::now();
    let recognised = model.with_session(move |session| session.recognise(&pcm, &options, &cancelled)).await?;
    let Recognition { mut segments, fallbacks } = recognised.map_err(stage_error)?;
    for segment in &mut segments {
        segment.start = chunk.source_time(segment.start);
        segment.end = chunk.source_time(segment.end);
        for word in &mut segment.words {
            word.start = chunk.source_time(word.start);
            word.end = chunk.source_time(word.end);
        }
    }
    Ok(ChunkTranscript {
        chunk: chunk.index,
        run_id: run_id.to_owned(),
        language: speech.language.clone(),
        segments,
        fallbacks,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Writes a checkpoint unless it is there already, and leaves a mark in that case: the result
/// tells how many chunks were computed twice.
async fn write(store: &Store, input: &UnitInput, key: &str, transcript: &ChunkTranscript) -> Result<(), StageError> {
    if store.create_json(key, transcript).await? == Created::Before {
        tracing::warn!(chunk = transcript.chunk, "another worker finished the chunk first");
        let mark = keys::recomputed(&input.folder, &input.prepared.recipe, &transcript.run_id, transcript.chunk);
        store.write_json(&mark, transcript).await?;
    }
    Ok(())
}
