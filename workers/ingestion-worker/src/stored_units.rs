//! Work units in the store: written, and looked at again when a plan is found that is there already.

use engine::{
    error::StageError,
    plan::WorkUnit,
    store::{Store, StoreError, keys},
};
use futures_util::{StreamExt, TryStreamExt, future, stream};

use crate::units::FilledUnit;

/// Units looked at at the same time; matters where the store is far away.
const READS_IN_FLIGHT: usize = 32;

/// Bytes of one sample in the store.
const SAMPLE_BYTES: u64 = 2;

/// The descriptor comes last: where it exists, the audio does, too.
pub(crate) async fn write(store: &Store, folder: &str, filled: FilledUnit) -> Result<(), StageError> {
    let index = filled.unit.index;
    store.write(&keys::unit_audio(folder, index), filled.pcm).await?;
    store.write_json(&keys::unit(folder, index), &filled.unit).await?;
    Ok(())
}

/// Whether all units of a plan are there and can be read.
pub(crate) async fn are_whole(store: &Store, folder: &str, units: u32) -> Result<bool, StageError> {
    let broken = stream::iter(0..units)
        .map(|unit| async move { is_whole(store, folder, unit).await.map(|is_whole| (unit, is_whole)) })
        .buffered(READS_IN_FLIGHT)
        .try_filter(|(_, is_whole)| future::ready(!is_whole));
    let first = std::pin::pin!(broken).try_next().await?;
    if let Some((unit, _)) = first {
        tracing::warn!(folder, unit, "a work unit cannot be read any more; the recording is segmented again");
    }
    Ok(first.is_none())
}

async fn is_whole(store: &Store, folder: &str, unit: u32) -> Result<bool, StoreError> {
    let Some(descriptor) = store.find_json::<WorkUnit>(&keys::unit(folder, unit)).await? else { return Ok(false) };
    let samples = descriptor.chunks.last().map_or(0, |chunk| chunk.offset + chunk.length);
    match store.describe(&keys::unit_audio(folder, unit)).await {
        Ok(audio) => Ok(audio.size == samples * SAMPLE_BYTES),
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
