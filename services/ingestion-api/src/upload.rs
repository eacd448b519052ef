//! Bringing a recording into the store while it is hashed, so that it is never held in memory.

use std::time::Duration;

use api::ApiError;
use bytes::Bytes;
use engine::{
    hash::hexadecimal,
    ids::JobId,
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
}

impl Uploads {
    /// Writes the recording under the hash of its bytes, and gives the key. Nothing is left of an upload that breaks off.
    ///
    /// # Errors
    /// 400 for an empty one, 413 for one that is too large, the stream's own, and those of the store.
    pub(crate) async fn receive(
        &self,
        pieces: impl Stream<Item = Result<Bytes, ApiError>> + Unpin,
    ) -> Result<String, ApiError> {
        let incoming = keys::incoming(&Uuid::now_v7().simple().to_string());
        let mut received = Received { hash: Sha256::new(), bytes: 0 };
        let watched = pieces.map(|piece| {
            let piece = piece?;
            received.add(&piece, self.max_bytes)?;
            Ok::<_, ApiError>(piece)
        });
        self.store.write_stream(&incoming, watched).await?;
        if received.bytes == 0 {
            self.store.delete(&incoming).await?;
            return Err(ApiError::invalid("the file is empty: it has 0 bytes; check the recording").param("file"));
        }
        if received.bytes > MAX_RENAMED {
            return Ok(incoming);
        }
        let key = keys::upload(&hexadecimal(&received.hash.finalize()));
        if self.store.exists(&key).await? {
            self.store.delete(&incoming).await?;
        } else {
            self.store.rename(&incoming, &key).await?;
        }
        Ok(key)
    }

    /// Keeps an upload for a job that is about to begin, so that the end of another one does not take it away.
    ///
    /// # Errors
    /// 503 where it has just been deleted, or is being deleted now: whoever sends it again brings it along.
    pub(crate) async fn keep(&self, job: &JobId, source: &Source) -> Result<(), ApiError> {
        let Source::Object(key) = source else { return Ok(()) };
        let Some(recording) = keys::recording(key) else { return Ok(()) };
        let gone = || ApiError::unavailable("the recording has just been deleted; send it again");
        let claimed = tokio::time::timeout(LONGEST_ERASURE, references::claim(&self.store, recording, job)).await;
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
