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

/// An input as the workers will get at it.
pub(crate) struct Located<'a> {
    pub(crate) source: Source,
    /// The file that has to be in the store first.
    file: Option<HashedFile<'a>>,
}

struct HashedFile<'a> {
    path: &'a Path,
    sha256: String,
}

/// Reads a file for its hash, which is its name in the store. An address is left to the workers.
pub(crate) async fn locate(input: &Input) -> anyhow::Result<Located<'_>> {
    let path = match input {
        Input::Url(url) => return Ok(Located { source: Source::Url(url.to_string()), file: None }),
        Input::File(path) => path,
    };
    let sha256 = hash_of(path).await.with_context(|| format!("cannot upload {}", path.display()))?;
    Ok(Located { source: Source::Object(keys::upload(&sha256)), file: Some(HashedFile { path, sha256 }) })
}

impl Located<'_> {
    /// What tells the input from others: the hash of a file, or the address.
    pub(crate) fn content(&self) -> &str {
        match (&self.file, &self.source) {
            (Some(file), _) => &file.sha256,
            (None, Source::Url(content) | Source::Path(content) | Source::Object(content)) => content,
        }
    }

    /// Copies a file into the store unless its bytes are there already. It is kept for the job from now on.
    pub(crate) async fn upload_for(&self, store: &Store, job: &JobId) -> anyhow::Result<()> {
        let Some(HashedFile { path, sha256 }) = &self.file else { return Ok(()) };
        references::claim(store, sha256, job).await?;
        let failed = || format!("cannot upload {}", path.display());
        let (key, length) = (keys::upload(sha256), tokio::fs::metadata(path).await.with_context(failed)?.len());
        if !is_there(store, &key, length).await? {
            let read = HashedRead {
                file: File::open(path).await.with_context(failed)?,
                hash: Sha256::new(),
                expected: sha256,
            };
            let pieces = std::pin::pin!(stream::try_unfold(read, HashedRead::next));
            store.write_stream::<anyhow::Error>(&key, pieces).await.with_context(failed)?;
        }
        Ok(())
    }
}

/// Whether it was the store that failed, and not the file: then no other file would fare better.
pub(crate) fn is_of_store(error: &anyhow::Error) -> bool {
    error.downcast_ref::<StoreError>().is_some()
}

/// Whether all of it is in the store, and not what a fault of the store has left of it.
async fn is_there(store: &Store, key: &str, length: u64) -> Result<bool, StoreError> {
    match store.describe(key).await {
        Ok(uploaded) => Ok(uploaded.size == length),
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
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
