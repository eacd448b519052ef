//! What is known of a recording from jobs before: one that has been recognised with the same options needs no core, and
//! does not wait for one.

use engine::{
    error::StageError,
    hash::hexadecimal,
    plan::Plan,
    store::{Store, keys},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Grows when a language is detected in another way.
const DETECTION_REVISION: u32 = 1;

/// All that decides which language is heard in a recording.
#[derive(Serialize)]
pub(crate) struct Listener<'a> {
    pub(crate) model_sha256: &'a str,
    /// Those that there may be.
    pub(crate) languages: &'a [String],
}

#[derive(Serialize, Deserialize)]
struct HeardLanguage {
    language: String,
}

/// The language that was heard before, or the one that is now.
pub(crate) async fn language(
    store: &Store,
    folder: &str,
    listener: &Listener<'_>,
    detection: impl Future<Output = Result<String, StageError>>,
) -> Result<String, StageError> {
    let key = keys::language(folder, &hash(listener)?);
    if let Some(heard) = store.find_json::<HeardLanguage>(&key).await? {
        return Ok(heard.language);
    }
    let heard = HeardLanguage { language: detection.await? };
    // Where another worker was faster, it has heard the same.
    store.create_json(&key, &heard).await?;
    Ok(heard.language)
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
