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
    match store.open_file(key).await? {
        Some(file) => in_place(file, name, keys::upload_hash(key), limit, cancelled).await,
        None => {
            let pieces = store.stream(key).await?.map_err(StageError::from);
            temporary::copy(pieces, &name, limit).await
        }
    }
}

/// An upload was hashed when it was handed in; anything else is hashed now.
async fn in_place(
    file: File,
    name: String,
    known_hash: Option<&str>,
    limit: SizeLimit,
    cancelled: CancellationToken,
) -> Result<LocalSource, StageError> {
    let length = file.metadata().map_err(|error| local::unreadable(&name, &error))?.len();
    limit.check(&name, length)?;
    match known_hash {
        Some(sha256) => Ok(LocalSource { file, name, sha256: sha256.to_owned(), temporary: None }),
        None => local::hashed(file, name, cancelled).await,
    }
}
