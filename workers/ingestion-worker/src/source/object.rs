//! Recordings in the store.

use std::fs::File;

use engine::{
    error::StageError,
    job::Source,
    store::{Store, keys},
};
use futures_util::TryStreamExt;
use tokio_util::sync::CancellationToken;

use super::{LocalSource, SizeLimit, local, temporary};

/// Opens an object where it is a file already, else copies it to one.
pub(super) async fn open(
    store: &Store,
    key: &str,
    limit: SizeLimit,
    cancelled: CancellationToken,
) -> Result<LocalSource, StageError> {
    let name = Source::Object(key.to_owned()).to_string();
    let source = match store.open_file(key).await? {
        Some(file) => in_place(file, name, limit, cancelled).await?,
        None => {
            let pieces = store.stream(key).await?.map_err(StageError::from);
            temporary::copy(pieces, &name, limit).await?
        }
    };
    match keys::upload_hash(key) {
        Some(sent) if sent != source.sha256 => Err(broken(store, key, source).await?),
        _ => Ok(source),
    }
}

async fn in_place(
    file: File,
    name: String,
    limit: SizeLimit,
    cancelled: CancellationToken,
) -> Result<LocalSource, StageError> {
    let length = file.metadata().map_err(|error| local::unreadable(&name, &error))?.len();
    limit.check(&name, length)?;
    local::hashed(file, name, cancelled).await
}

/// What was uploaded had the hash of its key; what lies there now is good for nothing, and would keep the recording from
/// being uploaded again.
async fn broken(store: &Store, key: &str, LocalSource { name, .. }: LocalSource) -> Result<StageError, StageError> {
    store.delete(key).await?;
    Ok(StageError::bad_input(format!(
        "{name} is not what was uploaded: it was damaged in the store, and is removed; send the recording again"
    )))
}
