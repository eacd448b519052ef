//! Whether the store takes anything in: one that is full or read-only still answers whoever reads.

use super::{Store, StoreError, keys};

/// Bytes that are written: a disk may have room for a name, and none for content.
const LENGTH: usize = 64 * 1024;

impl Store {
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
