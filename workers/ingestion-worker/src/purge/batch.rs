//! The jobs of a batch. Which they are is looked up in Temporal and in the store by the batch's name, which theirs begin
//! with: so those of every run of the batch are found, whatever list it had, and none that was named and never begun.

use std::collections::BTreeMap;

use engine::{
    erasure::{self, Erased},
    error::StageError,
    ids::JobId,
    store::{Store, keys},
    temporal::{
        client::{ClientError, Execution, Jobs, Which},
        contracts::{EraseInput, ErasedJob},
        progress::JobKind,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::{IN_FLIGHT, PAUSE, STEP, later};
use crate::audit;

/// Jobs, or runs of workflows, that a step looks for.
const PAGE: usize = 500;

/// Whether a batch has the id, or had it.
pub(super) async fn is_one(jobs: &Jobs, store: &Store, id: &JobId) -> Result<bool, StageError> {
    let has_list = !store.list(&keys::batch_folder(id.as_str())).await.map_err(later)?.is_empty();
    Ok(has_list || jobs.holder(id.as_str()).await?.is_some_and(|holder| holder.kind == JobKind::Batch))
}

/// What runs of its jobs.
pub(super) async fn open(jobs: &Jobs, batch: &JobId) -> Result<Vec<Execution>, ClientError> {
    let open = jobs.executions_in_batch(batch, Which::Open, PAGE).await?;
    Ok(open.into_iter().map(|(_, execution)| execution).collect())
}

/// Erases as many of its jobs as a step has time for. There may be more as long as it finds any.
pub(super) async fn erase(
    jobs: &Jobs,
    store: &Store,
    batch: &JobId,
    input: &EraseInput,
) -> Result<ErasedJob, StageError> {
    let found = find(jobs, store, batch).await?;
    let mut total = ErasedJob { more: !found.is_empty(), ..ErasedJob::default() };
    if found.values().flatten().any(|execution| execution.is_open) {
        return Ok(ErasedJob { came_back: true, ..total });
    }
    let deadline = Instant::now() + STEP;
    let erasing = stream::iter(found).map(|(job, executions)| async move {
        if Instant::now() > deadline { Ok(None) } else { erase_one(jobs, store, &job, executions, input).await }
    });
    let erased: Vec<Option<Erased>> = erasing.buffer_unordered(IN_FLIGHT).try_collect().await?;
    if total.more && erased.iter().all(Option::is_none) {
        // Nothing is left but what the server forgets a little later than it says.
        tokio::time::sleep(PAUSE).await;
    }
    erased.into_iter().flatten().for_each(|erased| total.erased.add(erased));
    Ok(total)
}

/// By job: those that Temporal knows, and those that have left something in the store.
async fn find(jobs: &Jobs, store: &Store, batch: &JobId) -> Result<BTreeMap<JobId, Vec<Execution>>, StageError> {
    let mut found: BTreeMap<JobId, Vec<Execution>> = BTreeMap::new();
    for (job, execution) in jobs.executions_in_batch(batch, Which::All, PAGE).await? {
        found.entry(job).or_default().push(execution);
    }
    let is_one_of_it = |name: &str| batch.job_of_batch(name).is_some_and(|job| job.as_str() == name);
    let stored = store.folders_beginning(&keys::jobs(), &format!("{batch}."), is_one_of_it, PAGE).await;
    for job in stored.map_err(later)?.iter().filter_map(|name| batch.job_of_batch(name)) {
        found.entry(job).or_default();
    }
    Ok(found)
}

/// `None` where nothing was left of it.
async fn erase_one(
    jobs: &Jobs,
    store: &Store,
    job: &JobId,
    executions: Vec<Execution>,
    input: &EraseInput,
) -> Result<Option<Erased>, StageError> {
    let erased = erasure::job(store, job.as_str(), input.scope).await.map_err(later)?;
    let mut was_there = !erased.is_nothing();
    for execution in executions {
        was_there |= jobs.forget(&execution).await?;
    }
    if !was_there {
        return Ok(None);
    }
    audit::job(job, input, erased);
    Ok(Some(erased))
}
