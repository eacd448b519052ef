//! How a stream becomes an object: in parts, of the size that the store takes.
//!
//! A folder takes small ones, which gather in memory. S3 takes none below 5 MB but the last one, and hundreds of streams
//! at once would fill the memory with them: there a part gathers in a file, and only a few are in memory, on their way.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart, path::Path};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, JoinSet},
};

use super::{StoreError, classify};

const SMALL: usize = 128 * 1024;
/// Small parts that one stream may have on their way.
const SMALL_IN_FLIGHT: usize = 4;
const LARGE: usize = 5 * 1024 * 1024;
/// Large parts that all streams together may have on their way.
const LARGE_IN_FLIGHT: usize = 4;

/// How objects are written that come as a stream.
#[derive(Debug, Clone)]
pub(super) enum Parts {
    Small,
    /// With what bounds the memory of all streams.
    Large(Arc<Semaphore>),
}

/// One object on its way into the store.
pub(super) struct Writer {
    key: String,
    part: Part,
}

enum Part {
    Small(WriteMultipart),
    Large(PartBuffer),
}

impl Parts {
    pub(super) fn large() -> Self {
        Self::Large(Arc::new(Semaphore::new(LARGE_IN_FLIGHT)))
    }
}

impl Writer {
    /// Begins an object.
    pub(super) async fn open(objects: &dyn ObjectStore, parts: &Parts, key: &str) -> Result<Self, StoreError> {
        // Before anything is begun in the store.
        let buffer = match parts {
            Parts::Small => None,
            Parts::Large(room) => Some((tempfile::tempfile().map_err(|error| temporary(key, error))?, room)),
        };
        let upload = objects.put_multipart(&Path::from(key)).await.map_err(|error| classify(key, error))?;
        let part = match buffer {
            None => Part::Small(WriteMultipart::new_with_chunk_size(upload, SMALL)),
            Some((file, room)) => Part::Large(PartBuffer {
                upload,
                file: Arc::new(file),
                length: 0,
                sent: JoinSet::new(),
                room: Arc::clone(room),
            }),
        };
        Ok(Self { key: key.to_owned(), part })
    }

    pub(super) async fn put(&mut self, piece: Bytes) -> Result<(), StoreError> {
        match &mut self.part {
            Part::Small(writer) => {
                writer.wait_for_capacity(SMALL_IN_FLIGHT).await.map_err(|error| classify(&self.key, error))?;
                writer.put(piece);
                Ok(())
            }
            Part::Large(buffer) => buffer.put(&self.key, piece).await,
        }
    }

    /// The object is there when this is through. Nothing is left of one that fails.
    pub(super) async fn finish(self) -> Result<(), StoreError> {
        match self.part {
            Part::Small(writer) => writer.finish().await.map(drop).map_err(|error| classify(&self.key, error)),
            Part::Large(mut buffer) => {
                let finished = buffer.finish(&self.key).await;
                if finished.is_err() {
                    log_abort(buffer.abort().await, &self.key);
                }
                finished
            }
        }
    }

    /// Removes what was written so far.
    pub(super) async fn abort(self) {
        let aborted = match self.part {
            Part::Small(writer) => writer.abort().await,
            Part::Large(buffer) => buffer.abort().await,
        };
        log_abort(aborted, &self.key);
    }
}

fn log_abort(aborted: object_store::Result<()>, key: &str) {
    aborted.unwrap_or_else(|error| tracing::warn!(key, %error, "an unfinished upload could not be removed"));
}

/// A large part while it gathers, and those before it.
struct PartBuffer {
    upload: Box<dyn MultipartUpload>,
    /// Its first `length` bytes are the part's.
    file: Arc<File>,
    length: usize,
    sent: JoinSet<object_store::Result<()>>,
    room: Arc<Semaphore>,
}

impl PartBuffer {
    async fn put(&mut self, key: &str, mut piece: Bytes) -> Result<(), StoreError> {
        while !piece.is_empty() {
            let fitting = piece.split_to(piece.len().min(LARGE - self.length));
            let (file, begin, end) = (Arc::clone(&self.file), self.length as u64, self.length + fitting.len());
            let written = blocking(move || file.write_all_at(&fitting, begin)).await;
            written.map_err(|error| temporary(key, error))?;
            self.length = end;
            if self.length == LARGE {
                self.send(key).await?;
            }
        }
        Ok(())
    }

    /// Sends the part when there is room for it in memory, and begins the next one.
    async fn send(&mut self, key: &str) -> Result<(), StoreError> {
        // Nothing closes the semaphore.
        let room: Option<OwnedSemaphorePermit> = Arc::clone(&self.room).acquire_owned().await.ok();
        let (file, mut bytes) = (Arc::clone(&self.file), vec![0; std::mem::take(&mut self.length)]);
        let read = blocking(move || file.read_exact_at(&mut bytes, 0).map(|()| bytes)).await;
        let bytes = read.map_err(|error| temporary(key, error))?;
        let sending = self.upload.put_part(PutPayload::from(bytes));
        self.sent.spawn(async move {
            let sent = sending.await;
            drop(room);
            sent
        });
        while let Some(sent) = self.sent.try_join_next() {
            arrived(sent, key)?;
        }
        Ok(())
    }

    async fn abort(mut self) -> object_store::Result<()> {
        self.sent.shutdown().await;
        self.upload.abort().await
    }

    async fn finish(&mut self, key: &str) -> Result<(), StoreError> {
        if self.length > 0 {
            self.send(key).await?;
        }
        while let Some(sent) = self.sent.join_next().await {
            arrived(sent, key)?;
        }
        self.upload.complete().await.map(drop).map_err(|error| classify(key, error))
    }
}

/// A disk may keep a thread waiting.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.into()))
}

fn arrived(sent: Result<object_store::Result<()>, JoinError>, key: &str) -> Result<(), StoreError> {
    sent.unwrap_or_else(|error| Err(error.into())).map_err(|error| classify(key, error))
}

fn temporary(key: &str, source: io::Error) -> StoreError {
    StoreError::Temporary { key: key.to_owned(), folder: std::env::temp_dir(), source }
}
