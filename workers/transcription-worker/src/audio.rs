//! Reads work units and their audio from the store.

use engine::{
    error::StageError,
    plan::{Chunk, WorkUnit},
    store::{Store, keys},
};

/// Bytes of one sample in the store.
const SAMPLE_BYTES: u64 = 2;

pub(crate) async fn unit(store: &Store, folder: &str, unit: u32) -> Result<WorkUnit, StageError> {
    Ok(store.read_json(&keys::unit(folder, unit)).await?)
}

/// None where nothing is said in the recording.
pub(crate) async fn first_unit(store: &Store, folder: &str) -> Result<Option<WorkUnit>, StageError> {
    Ok(store.find_json(&keys::unit(folder, 0)).await?)
}

/// A chunk's samples, 16 kHz mono, from -1 to 1.
pub(crate) async fn chunk_pcm(store: &Store, folder: &str, unit: u32, chunk: &Chunk) -> Result<Vec<f32>, StageError> {
    let key = keys::unit_audio(folder, unit);
    let bytes = store.read_range(&key, chunk.offset * SAMPLE_BYTES, chunk.length * SAMPLE_BYTES).await?;
    let samples = bytes.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0);
    Ok(samples.collect())
}
