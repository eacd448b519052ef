//! Joins the checkpoints of chunks to one transcript.

use engine::{
    error::StageError,
    store::{Store, keys},
    temporal::contracts::{AssembleInput, Assembled},
    transcript::{ChunkTranscript, Transcript},
};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Checkpoints read at the same time; matters where the store is far away.
const READS_IN_FLIGHT: usize = 32;

/// Reads every checkpoint in order, writes the transcript, and counts who computed what.
pub async fn assemble(store: &Store, input: &AssembleInput, run_id: &str) -> Result<Assembled, StageError> {
    join(store, input, (0..input.chunks).collect(), run_id).await
}

/// As [`assemble`], of those checkpoints that are there; `None` where none is.
pub(crate) async fn assemble_part(
    store: &Store,
    input: &AssembleInput,
    run_id: &str,
) -> Result<Option<Assembled>, StageError> {
    let found = store.list(&keys::chunks(&input.folder, &input.decode_config_hash)).await?;
    let mut chunks: Vec<u32> = found.iter().filter_map(|key| keys::chunk_index(key)).collect();
    if chunks.is_empty() {
        return Ok(None);
    }
    chunks.sort_unstable();
    join(store, input, chunks, run_id).await.map(Some)
}

async fn join(store: &Store, input: &AssembleInput, chunks: Vec<u32>, run_id: &str) -> Result<Assembled, StageError> {
    let mut chunks = stream::iter(chunks)
        .map(|chunk| async move {
            store.read_json::<ChunkTranscript>(&keys::chunk(&input.folder, &input.decode_config_hash, chunk)).await
        })
        .buffered(READS_IN_FLIGHT);
    let mut assembled = Assembled::default();
    let mut segments = Vec::new();
    while let Some(chunk) = chunks.try_next().await? {
        if chunk.run_id == run_id {
            assembled.chunks_computed += 1;
            assembled.fallbacks += chunk.fallbacks;
            assembled.recogniser_s += chunk.seconds;
        } else {
            assembled.chunks_reused += 1;
        }
        segments.extend(chunk.segments);
    }
    for (id, segment) in segments.iter_mut().enumerate() {
        segment.id = u32::try_from(id).unwrap_or(u32::MAX);
    }
    let repeated = store.list(&keys::recomputed_by(&input.folder, &input.decode_config_hash, run_id)).await?;
    assembled.chunks_recomputed = u32::try_from(repeated.len()).unwrap_or(u32::MAX);
    // Whisper's segments bring their own leading spaces, and none in languages that use none.
    let text: String = segments.iter().map(|segment| segment.text.as_str()).collect();
    let language = if segments.is_empty() { String::new() } else { input.language.clone() };
    let transcript = Transcript {
        text: text.trim().to_owned(),
        language,
        duration_s: input.duration_s,
        run_id: run_id.to_owned(),
        segments,
    };
    store.write_json(&keys::transcript(&input.job_id), &transcript).await?;
    Ok(assembled)
}
