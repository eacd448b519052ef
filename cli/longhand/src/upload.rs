//! Uploading a file to the store, under the hash of its bytes.

use std::path::Path;

use anyhow::{Context, ensure};
use bytes::Bytes;
use engine::{
    hash::{hexadecimal, sha256_of},
    ids::JobId,
    job::Source,
    references,
    store::{Store, StoreError, keys},
};
use futures_util::stream;
use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncReadExt};

use crate::input::Input;

/// Bytes read at a time.
const PIECE_SIZE: usize = 1 << 20;

/// An input that the workers can get at.
pub(crate) struct Uploaded {
    pub(crate) source: Source,
    pub(crate) job: JobId,
}

/// Copies a file into the store unless its bytes are there already. An address is left to the workers. The job that gets
/// it is named by its content, and the file is kept for it from now on.
pub(crate) async fn upload(
    store: &Store,
    input: &Input,
    job_of: impl FnOnce(&str) -> JobId,
) -> anyhow::Result<Uploaded> {
    let path = match input {
        Input::Url(url) => {
            let (source, job) = (Source::Url(url.to_string()), job_of(url.as_str()));
            return Ok(Uploaded { source, job });
        }
        Input::File(path) => path,
    };
    let failed = || format!("cannot upload {}", path.display());
    let sha256 = hash_of(path).await.with_context(failed)?;
    let (key, job) = (keys::upload(&sha256), job_of(&sha256));
    references::claim(store, &sha256, &job).await?;
    let length = tokio::fs::metadata(path).await.with_context(failed)?.len();
    if !is_there(store, &key, length).await? {
        let read =
            HashedRead { file: File::open(path).await.with_context(failed)?, hash: Sha256::new(), expected: &sha256 };
        let pieces = std::pin::pin!(stream::try_unfold(read, HashedRead::next));
        store.write_stream::<anyhow::Error>(&key, pieces).await.with_context(failed)?;
    }
    Ok(Uploaded { source: Source::Object(key), job })
}

/// Whether all of it is in the store, and not what a fault of the store has left of it.
async fn is_there(store: &Store, key: &str, length: u64) -> anyhow::Result<bool> {
    match store.describe(key).await {
        Ok(uploaded) => Ok(uploaded.size == length),
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn hash_of(path: &Path) -> anyhow::Result<String> {
    let path = path.to_owned();
    Ok(tokio::task::spawn_blocking(move || sha256_of(&path)).await??)
}

/// A file on its way, hashed once more: its name in the store promises its content.
struct HashedRead<'a> {
    file: File,
    hash: Sha256,
    expected: &'a str,
}

impl HashedRead<'_> {
    async fn next(mut self) -> anyhow::Result<Option<(Bytes, Self)>> {
        let mut piece = vec![0; PIECE_SIZE];
        let length = self.file.read(&mut piece).await?;
        if length == 0 {
            let unchanged = hexadecimal(&self.hash.finalize()) == self.expected;
            ensure!(unchanged, "the file changed while it was read; try again when it is complete");
            return Ok(None);
        }
        piece.truncate(length);
        self.hash.update(&piece);
        Ok(Some((Bytes::from(piece), self)))
    }
}
