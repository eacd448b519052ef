//! Starting many jobs as one: their list goes into the store, where the batch's workflow reads it.

use futures_util::future::BoxFuture;

use super::{
    client::{ClientError, Jobs, Submission, refuse_long_request},
    progress::BatchOutcome,
    workflows::BatchRequest,
};
use crate::{
    batch_list::{BatchList, BatchRecording},
    ids::JobId,
    job::JobOptions,
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

/// Whether jobs of these recordings, with these options, can be started: what one job may not have, no job of a batch may.
///
/// # Errors
/// [`BatchError::TooMany`], or a request that is too long.
pub fn check(options: &JobOptions, recordings: &[BatchRecording]) -> Result<u32, BatchError> {
    let total = u32::try_from(recordings.len()).map_err(|_| BatchError::TooMany(recordings.len()))?;
    if let Some(longest) = recordings.iter().max_by_key(|recording| recording.source.to_string().len()) {
        refuse_long_request(&options.request(longest.source.clone()))?;
    }
    Ok(total)
}

/// Starts a batch that does not run, or finds the one that another was faster to start. One that has ended is run again:
/// what it finished is left alone.
///
/// # Errors
/// Those of [`check`], of the store and of Temporal.
pub fn start<'a>(
    jobs: &'a Jobs,
    store: &'a Store,
    id: &'a JobId,
    options: &'a JobOptions,
    recordings: &'a [BatchRecording],
    concurrency: u32,
) -> BoxFuture<'a, Result<Submission, BatchError>> {
    Box::pin(async move {
        let total = check(options, recordings)?;
        BatchList::write(store, id.as_str(), options, recordings).await?;
        let requests_key = keys::batch(id.as_str());
        let request = BatchRequest { requests_key, total, concurrency, done: BatchOutcome::default(), started: None };
        Ok(jobs.submit_batch(id.as_str(), &request).await?)
    })
}
