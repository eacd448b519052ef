//! Bringing a recording into the store while it is hashed, so that it is never held in memory.

use std::time::Duration;

use api::{ApiError, OwnJob, Unfinished};
use bytes::Bytes;
use engine::{
    hash::hexadecimal,
    job::Source,
    references,
    store::{Store, keys},
};
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Larger objects keep the key that they were uploaded under: S3 renames by copying, and copies no more than this.
const MAX_RENAMED: u64 = 5 << 30;

/// How long a client waits while others delete the recording that it has sent.
const LONGEST_ERASURE: Duration = Duration::from_secs(10);

/// Writes uploads into the store; cheap to clone.
#[derive(Clone)]
pub(crate) struct Uploads {
    pub(crate) store: Store,
    /// Bytes that a recording may have.
    pub(crate) max_bytes: u64,
    /// What has to end before the process does.
    pub(crate) unfinished: Unfinished,
}

/// A recording that has arrived and is no job's yet. Unless it is kept, it is removed from the store.
pub(crate) struct Upload {
    uploads: Uploads,
    /// Where it lies; `None` once it is kept.
    incoming: Option<String>,
    sha256: String,
    bytes: u64,
}

impl Uploads {
    /// Writes the recording into the store. Nothing is left of an upload that breaks off.
    ///
    /// # Errors
    /// 400 for an empty one, 413 for one that is too large, the stream's own, and those of the store.
    pub(crate) async fn receive(
        &self,
        pieces: impl Stream<Item = Result<Bytes, ApiError>> + Unpin,
    ) -> Result<Upload, ApiError> {
        let incoming = keys::incoming(&Uuid::now_v7().simple().to_string());
        let mut received = Received { hash: Sha256::new(), bytes: 0 };
        let watched = pieces.map(|piece| {
            let piece = piece?;
            received.add(&piece, self.max_bytes)?;
            Ok::<_, ApiError>(piece)
        });
        self.store.write_stream(&incoming, watched).await?;
        let Received { hash, bytes } = received;
        let sha256 = hexadecimal(&hash.finalize());
        let upload = Upload { uploads: self.clone(), incoming: Some(incoming), sha256, bytes };
        if bytes == 0 {
            return Err(ApiError::invalid("the file is empty: it has 0 bytes; check the recording").param("file"));
        }
        Ok(upload)
    }

    /// Keeps an upload for a job that is about to begin, so that the end of another one does not take it away.
    ///
    /// # Errors
    /// 503 where it has just been deleted, or is being deleted now: whoever sends it again brings it along.
    pub(crate) async fn claim(&self, job: &OwnJob, source: &Source) -> Result<(), ApiError> {
        let Source::Object(key) = source else { return Ok(()) };
        let Some(recording) = keys::recording(key) else { return Ok(()) };
        let gone = || ApiError::unavailable("the recording has just been deleted; send it again");
        let claimed = tokio::time::timeout(LONGEST_ERASURE, references::claim(&self.store, recording, job.id())).await;
        claimed.map_err(|_| gone())??;
        if self.store.exists(key).await? { Ok(()) } else { Err(gone()) }
    }

    /// Refuses a body that says itself that it is too large, before any of it is sent.
    pub(crate) fn check_length(&self, bytes: u64) -> Result<(), ApiError> {
        /// What a form may have besides the file.
        const FORM: u64 = 1 << 20;
        if bytes > self.max_bytes.saturating_add(FORM) { Err(too_large(self.max_bytes)) } else { Ok(()) }
    }
}

impl Upload {
    /// Gives it the name of its content, under which a job finds it.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn keep(mut self) -> Result<Source, ApiError> {
        let Some(incoming) = self.incoming.clone() else { return Err(ApiError::internal("an upload was kept twice")) };
        if self.bytes > MAX_RENAMED {
            self.incoming = None;
            return Ok(Source::Object(incoming));
        }
        let key = keys::upload(&self.sha256);
        // It replaces what may be there: the same bytes, or what a fault of the store has left of them.
        self.uploads.store.rename(&incoming, &key).await?;
        self.incoming = None;
        Ok(Source::Object(key))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take() else { return };
        let store = self.uploads.store.clone();
        self.uploads.unfinished.spawn(async move {
            if let Err(error) = store.delete(&incoming).await {
                tracing::warn!(%error, "an upload that is no job's could not be removed");
            }
        });
    }
}

/// What has arrived of a recording.
struct Received {
    hash: Sha256,
    bytes: u64,
}

impl Received {
    fn add(&mut self, piece: &Bytes, max_bytes: u64) -> Result<(), ApiError> {
        self.bytes += piece.len() as u64;
        if self.bytes > max_bytes {
            return Err(too_large(max_bytes));
        }
        self.hash.update(piece);
        Ok(())
    }
}

fn too_large(max_bytes: u64) -> ApiError {
    let megabytes = max_bytes / 1_000_000;
    ApiError::too_large(format!(
        "the file is larger than {megabytes} MB; split it, or raise LONGHAND_MAX_SOURCE_MB for the service"
    ))
    .param("file")
}
