//! Whether the store takes anything in: one that is full or read-only still answers whoever reads.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{Store, StoreError, keys};

/// Bytes that are written: a disk may have room for a name, and none for content.
const LENGTH: usize = 64 * 1024;

impl Store {
    /// Whether a job that begins now finds room for what it makes. A bucket has no end, so it is not asked.
    ///
    /// # Errors
    /// As of [`Store::probe_write`].
    pub fn check_room(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            if self.folder.is_none() { Ok(()) } else { self.probe_write(&Uuid::now_v7().simple().to_string()).await }
        })
    }

    /// Writes an object and removes it. `name` tells those that probe from each other.
    ///
    /// # Errors
    /// [`StoreError::Full`], or whatever else keeps it from being written.
    pub async fn probe_write(&self, name: &str) -> Result<(), StoreError> {
        let key = keys::probe(name);
        self.write(&key, vec![b' '; LENGTH]).await?;
        match self.delete(&key).await {
            // Another one of the same name was quicker.
            Err(StoreError::NotFound { .. }) => Ok(()),
            deleted => deleted,
        }
    }
}
