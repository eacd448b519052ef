//! Starting many jobs as one: their list goes into the store, where the batch's workflow reads it.

use futures_util::future::BoxFuture;

use super::{
    client::{ClientError, Jobs, Submission},
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
pub fn is_running<'a>(jobs: &'a Jobs, id: &'a JobId) -> BoxFuture<'a, Result<bool, ClientError>> {
    Box::pin(async move { Ok(jobs.holder(id.as_str()).await?.is_some_and(|holder| !holder.status.is_final())) })
}

/// What a batch was started with, if it ever was.
///
/// # Errors
/// The store's.
pub fn list<'a>(store: &'a Store, id: &'a JobId) -> BoxFuture<'a, Result<Option<Vec<BatchEntry>>, StoreError>> {
    Box::pin(async move { store.find_json(&keys::batch(id.as_str())).await })
}

/// Starts a batch that does not run, or finds the one that another was faster to start. One that has ended is run again:
/// what it finished is left alone.
///
/// # Errors
/// Those of the store and of Temporal.
pub fn start<'a>(
    jobs: &'a Jobs,
    store: &'a Store,
    id: &'a JobId,
    entries: &'a [BatchEntry],
    concurrency: u32,
) -> BoxFuture<'a, Result<Submission, BatchError>> {
    Box::pin(async move {
        let total = u32::try_from(entries.len()).map_err(|_| BatchError::TooMany(entries.len()))?;
        let requests_key = keys::batch(id.as_str());
        store.write_json(&requests_key, &entries).await?;
        let request = BatchRequest { requests_key, total, concurrency, done: BatchOutcome::default() };
        Ok(jobs.submit_batch(id.as_str(), &request).await?)
    })
}
