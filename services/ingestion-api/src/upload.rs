//! Bringing a recording into the store while it is hashed, so that it is never held in memory.

use api::ApiError;
use bytes::Bytes;
use engine::{
    hash::hexadecimal,
    store::{Store, keys},
};
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Larger objects keep the name that they came in under: S3 renames by copying, and copies no more than this.
const MOST_RENAMED: u64 = 5 << 30;

/// Takes recordings in; cheap to clone.
#[derive(Clone)]
pub(crate) struct Uploads {
    pub(crate) store: Store,
    /// Bytes that a recording may have.
    pub(crate) most: u64,
}

impl Uploads {
    /// Writes the recording under the hash of its bytes, and gives the key. Nothing is left of one that does not
    /// come to its end.
    ///
    /// # Errors
    /// 400 for an empty one, 413 for one that is too large, the stream's own, and those of the store.
    pub(crate) async fn receive(
        &self,
        pieces: impl Stream<Item = Result<Bytes, ApiError>> + Unpin,
    ) -> Result<String, ApiError> {
        let incoming = keys::incoming(&Uuid::now_v7().simple().to_string());
        let mut seen = Seen { hash: Sha256::new(), bytes: 0 };
        let watched = pieces.map(|piece| {
            let piece = piece?;
            seen.take(&piece, self.most)?;
            Ok::<_, ApiError>(piece)
        });
        self.store.write_stream(&incoming, watched).await?;
        if seen.bytes == 0 {
            self.store.delete(&incoming).await?;
            return Err(ApiError::invalid("the file is empty: it has 0 bytes; check the recording").param("file"));
        }
        if seen.bytes > MOST_RENAMED {
            return Ok(incoming);
        }
        let key = keys::upload(&hexadecimal(&seen.hash.finalize()));
        if self.store.exists(&key).await? {
            self.store.delete(&incoming).await?;
        } else {
            self.store.rename(&incoming, &key).await?;
        }
        Ok(key)
    }

    /// Refuses a body that says itself that it is too large, before any of it is sent.
    pub(crate) fn check_length(&self, bytes: u64) -> Result<(), ApiError> {
        /// What may surround the file.
        const FORM: u64 = 1 << 20;
        if bytes > self.most.saturating_add(FORM) { Err(too_large(self.most)) } else { Ok(()) }
    }
}

/// What has gone by of a recording.
struct Seen {
    hash: Sha256,
    bytes: u64,
}

impl Seen {
    fn take(&mut self, piece: &Bytes, most: u64) -> Result<(), ApiError> {
        self.bytes += piece.len() as u64;
        if self.bytes > most {
            return Err(too_large(most));
        }
        self.hash.update(piece);
        Ok(())
    }
}

fn too_large(most: u64) -> ApiError {
    let megabytes = most / 1_000_000;
    ApiError::too_large(format!(
        "the file is larger than {megabytes} MB; split it, or raise LONGHAND_MAX_SOURCE_MB for the service"
    ))
    .param("file")
}
