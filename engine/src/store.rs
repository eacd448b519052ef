//! The object store: a folder or an S3 bucket, and the one place that knows its layout.
//!
//! ```text
//! uploads/{sha256}                                     sources as they were handed in
//! uploads/incoming/{name}                              sources on their way in
//! audio/{sha256}/{plan}/plan.json                      written last: a plan that exists is complete
//! audio/{sha256}/{plan}/units/{unit}.json | .pcm       a work unit's chunks and their 16 kHz i16 PCM
//! audio/{sha256}/{plan}/chunks/{hash}/{chunk}.json     checkpoints, written once
//! references/{sha256}/{job}                            empty: the job needs this recording
//! erasing/{sha256}/{eraser}                            empty: the recording is being erased
//! jobs/{job}/transcript.json | result.json | llm/{task}.json
//! jobs/{job}/notes/{task}/{hash}.json                  what the model has answered of a task that is not done
//! jobs/{job}/deliveries/{message}.json                 the tries to deliver one webhook message
//! jobs/{job}/recordings/{sha256}                       empty: the job's side of its references
//! batches/{batch}/requests.json                        the list of a batch
//! probes/{name}                                        written and removed: whether the store takes anything in
//! ```
//! `{plan}` names the segmentation, `{hash}` the model and the parameters.
//!
//! What is written is on the disk before the write returns. A power loss, or a disk that fails, may still leave an object
//! that cannot be read: it counts as not there, and whoever makes it makes it again in its place.

mod documents;
mod error;
pub mod keys;
mod listing;
mod reader;
mod result_heads;
mod write_probe;
mod writer;

use std::{fs::File, io, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    ClientConfigKey, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    local::LocalFileSystem,
    path::Path,
    prefix::PrefixStore,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::config::StoreSettings;
use error::classify;
use writer::{Parts, Writer};

pub use error::StoreError;
pub use listing::{AbandonedPart, StoredObject};
pub use result_heads::{KnownHead, ResultHeads};

/// How long a bucket may be away before somebody who waits for an answer is told.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);

/// How long a bucket may say nothing in the middle of a request that somebody waits for.
const REQUEST_SILENCE: &str = "15s";

/// A handle to the store; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    /// The same objects, where they are files.
    folder: Option<Arc<LocalFileSystem>>,
    parts: Parts,
}

/// What became of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    Now,
    /// Someone else had written the object already; it is unchanged.
    Before,
}

/// An object, but for its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectDescription {
    /// In bytes.
    pub size: u64,
    /// Changes whenever the object is written anew.
    pub version: String,
}

impl Store {
    /// Opens the store that the settings name, creating a folder that is missing.
    ///
    /// # Errors
    /// [`StoreError::Open`] where the address is not understood or the folder cannot be made.
    pub fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        Self::open_with(settings, |bucket| bucket)
    }

    /// As [`Store::open`], for services: a bucket that does not answer is given up before those who wait give up.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_for_requests(settings: &StoreSettings) -> Result<Self, StoreError> {
        Self::open_with(settings, |bucket| {
            let retry = RetryConfig { retry_timeout: REQUEST_PATIENCE, ..RetryConfig::default() };
            bucket
                .with_retry(retry)
                .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout), REQUEST_SILENCE)
        })
    }

    fn open_with(settings: &StoreSettings, set_up: fn(AmazonS3Builder) -> AmazonS3Builder) -> Result<Self, StoreError> {
        let url = match &settings.url {
            Some(url) => url.clone(),
            None => default_folder().display().to_string(),
        };
        let refused = |reason: String| StoreError::Open { url: url.clone(), reason };
        match url.strip_prefix("s3://") {
            Some(rest) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                crate::tls::install_provider();
                // `from_env` reads the usual AWS_* variables, the endpoint and region among them.
                let bucket = set_up(AmazonS3Builder::from_env().with_bucket_name(bucket))
                    .build()
                    .map_err(|error| refused(error.to_string()))?;
                let objects = Arc::new(PrefixStore::new(bucket, prefix.trim_end_matches('/')));
                Ok(Self { objects, folder: None, parts: Parts::large() })
            }
            None if url.contains("://") => Err(refused("only a folder or s3://bucket/prefix is supported".to_owned())),
            None => {
                std::fs::create_dir_all(&url).map_err(|error| refused(error.to_string()))?;
                let folder = LocalFileSystem::new_with_prefix(&url).map_err(|error| refused(error.to_string()))?;
                // Empty folders stay: one that is taken away while another writer makes it fails the sync of its parent.
                let folder = Arc::new(folder.with_fsync(true));
                Ok(Self { objects: Arc::clone(&folder) as _, folder: Some(folder), parts: Parts::Small })
            }
        }
    }

    /// A store of any kind, such as one that fails when a test wants it to.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, folder: None, parts: Parts::Small }
    }

    /// An object as the file that it is; `None` where the store is no folder.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or a disk that fails.
    pub async fn open_file(&self, key: &str) -> Result<Option<File>, StoreError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let path = folder.path_to_filesystem(&Path::from(key)).map_err(|error| classify(key, error))?;
        let opened = async {
            let file = tokio::fs::File::open(path).await?;
            if file.metadata().await?.is_dir() { Err(io::Error::from(io::ErrorKind::NotFound)) } else { Ok(file) }
        };
        match opened.await {
            Ok(file) => Ok(Some(file.into_std().await)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::NotFound { key: key.to_owned() }),
            Err(source) => Err(classify(key, object_store::Error::Generic { store: "folder", source: source.into() })),
        }
    }

    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`] where it is no such JSON, or a failing store.
    pub async fn read_json<T: DeserializeOwned>(&self, key: &str) -> Result<T, StoreError> {
        let bytes = self.read(key).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::Corrupt { key: key.to_owned(), reason: error.to_string() })
    }

    /// As [`Store::read_json`], with `None` for an object that is not there, or of which nothing can be made.
    pub async fn find_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        match self.read_json(key).await {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::warn!(%error, "it counts as not there");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes atomically, replacing what was there.
    pub async fn write_json<T: Serialize>(&self, key: &str, value: &T) -> Result<(), StoreError> {
        self.write(key, json_bytes(key, value)?).await
    }

    /// Writes atomically unless the object exists already. One that is no such JSON is replaced.
    pub async fn create_json<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        value: &T,
    ) -> Result<Created, StoreError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let payload = PutPayload::from(json_bytes(key, value)?);
        match self.objects.put_opts(&Path::from(key), payload, options).await {
            Ok(_) => Ok(Created::Now),
            Err(object_store::Error::AlreadyExists { .. }) if self.find_json::<T>(key).await?.is_some() => {
                Ok(Created::Before)
            }
            Err(object_store::Error::AlreadyExists { .. }) => {
                self.write_json(key, value).await?;
                Ok(Created::Now)
            }
            Err(error) => Err(classify(key, error)),
        }
    }

    pub async fn read(&self, key: &str) -> Result<Bytes, StoreError> {
        let found = self.objects.get(&Path::from(key)).await.map_err(|error| classify(key, error))?;
        found.bytes().await.map_err(|error| classify(key, error))
    }

    /// Reads `length` bytes from `offset` on.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the object ends before, [`StoreError::NotFound`], or a failing store.
    pub async fn read_range(&self, key: &str, offset: u64, length: u64) -> Result<Bytes, StoreError> {
        let end = offset + length;
        match self.objects.get_range(&Path::from(key), offset..end).await {
            Ok(bytes) if bytes.len() as u64 == length => Ok(bytes),
            Ok(_) => Err(cut_off(key, self.describe(key).await?.size, end)),
            // Some stores call a range beyond the end a failure of theirs.
            Err(error) => match classify(key, error) {
                failed @ StoreError::Failed { .. } => {
                    let size = self.describe(key).await?.size;
                    Err(if size < end { cut_off(key, size, end) } else { failed })
                }
                error => Err(error),
            },
        }
    }

    /// What the store knows of an object without reading it.
    pub async fn describe(&self, key: &str) -> Result<ObjectDescription, StoreError> {
        let found = self.objects.head(&Path::from(key)).await.map_err(|error| classify(key, error))?;
        let version = found.e_tag.unwrap_or_else(|| found.last_modified.to_string());
        Ok(ObjectDescription { size: found.size, version })
    }

    /// As [`Store::stream`], for a part of the object.
    pub async fn stream_range(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.objects.get_opts(&Path::from(key), options).await.map_err(|error| classify(key, error))?;
        let key = key.to_owned();
        Ok(found.into_stream().map_err(move |error| classify(&key, error)).boxed())
    }

    /// Reads an object piece by piece, for those that may not fit memory.
    pub async fn stream(&self, key: &str) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let found = self.objects.get(&Path::from(key)).await.map_err(|error| classify(key, error))?;
        let key = key.to_owned();
        Ok(found.into_stream().map_err(move |error| classify(&key, error)).boxed())
    }

    pub async fn write(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), StoreError> {
        let payload = PutPayload::from(bytes.into());
        self.objects.put(&Path::from(key), payload).await.map_err(|error| classify(key, error))?;
        Ok(())
    }

    /// Writes a stream of unknown length; the object appears only when all of it is there.
    ///
    /// # Errors
    /// A failing store, or the stream's own error; nothing is left of it either way.
    pub async fn write_stream<E: From<StoreError>>(
        &self,
        key: &str,
        mut pieces: impl futures_util::Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(), E> {
        let mut writer = Writer::open(&*self.objects, &self.parts, key).await?;
        let copied: Result<(), E> = async {
            while let Some(piece) = pieces.next().await {
                writer.put(piece?).await?;
            }
            Ok(())
        }
        .await;
        if copied.is_err() {
            writer.abort().await;
            return copied;
        }
        Ok(writer.finish().await?)
    }

    /// Gives an object another key, replacing what had it.
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.objects.rename(&Path::from(from), &Path::from(to)).await.map_err(|error| classify(from, error))
    }

    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.objects.delete(&Path::from(key)).await.map_err(|error| classify(key, error))
    }

    pub async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        match self.objects.head(&Path::from(key)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(classify(key, error)),
        }
    }

    /// Asks the store whether it is there.
    pub async fn ping(&self) -> Result<(), StoreError> {
        const NOWHERE: &str = "ping";
        let listed = self.objects.list_with_delimiter(Some(&Path::from(NOWHERE))).await;
        listed.map(drop).map_err(|error| classify(NOWHERE, error))
    }

    /// The keys below a folder, in no order.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let found = self.objects.list(Some(&Path::from(folder)));
        found.map_ok(|object| object.location.to_string()).try_collect().await.map_err(|error| classify(folder, error))
    }
}

/// Where embedded programs keep their store when nothing else is said.
fn default_folder() -> PathBuf {
    data_folder().join("store")
}

/// `longhand` in the user's data folder, after the XDG convention.
pub fn data_folder() -> PathBuf {
    crate::config::user_folder("XDG_DATA_HOME", ".local/share").join("longhand")
}

fn cut_off(key: &str, size: u64, needed: u64) -> StoreError {
    StoreError::Corrupt { key: key.to_owned(), reason: format!("it has {size} bytes where {needed} are needed") }
}

fn json_bytes<T: Serialize>(key: &str, value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Corrupt { key: key.to_owned(), reason: error.to_string() })
}
