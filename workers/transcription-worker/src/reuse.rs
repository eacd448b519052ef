//! What is known of a recording from jobs before: one that has been recognised with the same options needs no core, and
//! does not wait for one.

use engine::{
    error::StageError,
    hash::hexadecimal,
    plan::Plan,
    store::{Store, keys},
    transcript::HeardLanguage,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Grows when a language is detected in another way.
const DETECTION_REVISION: u32 = 1;

/// All that decides which languages are heard in a recording.
#[derive(Serialize)]
pub(crate) struct Listener<'a> {
    pub(crate) model_sha256: &'a str,
    /// Those that there may be.
    pub(crate) languages: &'a [String],
}

/// What was heard at the beginning before, or what is now.
pub(crate) async fn opening(
    store: &Store,
    folder: &str,
    listener: &Listener<'_>,
    detection: impl Future<Output = Result<Vec<HeardLanguage>, StageError>>,
) -> Result<Vec<HeardLanguage>, StageError> {
    let key = keys::language(folder, &hash(listener)?);
    if let Some(heard) = store.find_json(&key).await? {
        return Ok(heard);
    }
    let heard = detection.await?;
    // Where another worker was faster, it has heard the same.
    store.create_json(&key, &heard).await?;
    Ok(heard)
}

fn hash(listener: &Listener<'_>) -> Result<String, StageError> {
    let json = serde_json::to_vec(&(DETECTION_REVISION, listener));
    let json = json.map_err(|error| StageError::bad_input(error.to_string()))?;
    Ok(hexadecimal(&Sha256::digest(&json)[..8]))
}

/// Whether all chunks have their checkpoints, of a recording that is segmented to its end.
pub(crate) async fn is_recognised(store: &Store, folder: &str, decode_config_hash: &str) -> Result<bool, StageError> {
    let Some(plan) = store.find_json::<Plan>(&keys::plan(folder)).await? else { return Ok(false) };
    let found = store.list(&keys::chunks(folder, decode_config_hash)).await?;
    let chunks = found.iter().filter(|key| keys::chunk_index(key).is_some()).count();
    Ok(chunks >= plan.chunks as usize)
}
