//! Starting many jobs as one: their list goes into the store, where the batch's workflow reads it.

use super::{
    client::{ClientError, Jobs},
    contracts::BatchEntry,
    workflows::{BatchOutcome, BatchRequest},
};
use crate::{
    ids::JobId,
    store::{Store, StoreError, keys},
};

/// Why a batch did not start.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} recordings are too many for one batch; make several")]
    TooMany(usize),
}

/// Whether a batch of this id runs; one that does keeps the list that it was started with.
///
/// # Errors
/// Temporal's.
pub async fn is_running(jobs: &Jobs, id: &JobId) -> Result<bool, ClientError> {
    match jobs.status(id.as_str()).await {
        Ok(status) => Ok(!status.is_final()),
        Err(ClientError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What a batch was started with, if it ever was.
///
/// # Errors
/// The store's.
pub async fn list(store: &Store, id: &JobId) -> Result<Option<Vec<BatchEntry>>, StoreError> {
    store.find_json(&keys::batch(id.as_str())).await
}

/// Starts a batch that does not run. One that has ended is run again: what it finished is left alone.
///
/// # Errors
/// Those of the store and of Temporal.
pub async fn start(
    jobs: &Jobs,
    store: &Store,
    id: &JobId,
    entries: &[BatchEntry],
    concurrency: u32,
) -> Result<(), BatchError> {
    let total = u32::try_from(entries.len()).map_err(|_| BatchError::TooMany(entries.len()))?;
    let requests_key = keys::batch(id.as_str());
    store.write_json(&requests_key, &entries).await?;
    let request = BatchRequest { requests_key, total, concurrency, done: BatchOutcome::default() };
    jobs.submit_batch(id.as_str(), &request).await?;
    Ok(())
}
