//! Making one job disappear, step by step. Each step may be begun again where it was killed.

use std::{collections::HashSet, time::Duration};

use engine::{
    batch_list::BatchList,
    erasure::{self, Erased, Scope},
    error::StageError,
    ids::JobId,
    references,
    store::{Store, StoreError},
    temporal::{
        client::{ClientError, Execution, Jobs},
        contracts::{EraseInput, ErasedJob, StopInput, Stopped},
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use crate::audit;

/// Jobs of a batch that are seen to at the same time.
const JOBS_IN_FLIGHT: usize = 8;

/// Between two looks whether what was asked to stop has stopped.
const PAUSE: Duration = Duration::from_millis(250);

/// What has not stopped after so long has no worker that could stop it, and is ended by force.
const PATIENCE: Duration = Duration::from_secs(60);

/// Cancels everything of a job and, for a batch, of its jobs, and waits until nothing of it runs.
pub(crate) async fn stop(jobs: &Jobs, store: &Store, input: &StopInput) -> Result<Stopped, StageError> {
    let id = job_id(&input.job_id)?;
    if input.spare_running && jobs.executions(&id).await?.iter().any(|execution| execution.is_open) {
        return Ok(Stopped { ran: true, spared: true });
    }
    // The batch first, so that it begins no more jobs.
    let ran = stop_one(jobs, &id).await?;
    let members = stream::iter(members(store, &id).await?).map(|member| async move { stop_one(jobs, &member).await });
    let members_ran: Vec<bool> = members.buffer_unordered(JOBS_IN_FLIGHT).try_collect().await?;
    Ok(Stopped { ran: ran || members_ran.contains(&true), spared: false })
}

/// Whether anything ran.
async fn stop_one(jobs: &Jobs, id: &JobId) -> Result<bool, ClientError> {
    let began = Instant::now();
    let mut asked = HashSet::new();
    loop {
        let open = jobs.executions(id).await?.into_iter().filter(|execution| execution.is_open);
        let open: Vec<Execution> = open.collect();
        if open.is_empty() {
            return Ok(!asked.is_empty());
        }
        for execution in open {
            if began.elapsed() > PATIENCE {
                jobs.forget(&execution).await?;
            } else if asked.insert(execution.run_id) {
                cancel(jobs, &execution.id).await?;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn cancel(jobs: &Jobs, id: &str) -> Result<(), ClientError> {
    match jobs.cancel(id).await {
        // It ended by itself meanwhile.
        Err(ClientError::NotFound { .. }) => Ok(()),
        asked => asked,
    }
}

/// Erases a job that was stopped. For a batch its jobs go first, for it alone knows them.
pub(crate) async fn erase(jobs: &Jobs, store: &Store, input: &EraseInput) -> Result<ErasedJob, StageError> {
    let id = job_id(&input.job_id)?;
    references::complete(store).await.map_err(later)?;
    let mut total = ErasedJob { erased: Erased::default(), came_back: false };
    let members = match input.scope {
        Scope::Everything => members(store, &id).await?,
        Scope::Recording => Vec::new(),
    };
    let mut erasing = stream::iter(members)
        .map(|member| async move { erase_one(jobs, store, &member, input).await })
        .buffer_unordered(JOBS_IN_FLIGHT);
    while let Some(one) = erasing.try_next().await? {
        total.add(one);
    }
    if !total.came_back {
        total.add(erase_one(jobs, store, &id, input).await?);
    }
    Ok(total)
}

async fn erase_one(jobs: &Jobs, store: &Store, id: &JobId, input: &EraseInput) -> Result<ErasedJob, StageError> {
    let erased = erasure::job(store, id.as_str(), input.scope).await.map_err(later)?;
    let came_back = input.scope == Scope::Everything && !forget(jobs, id).await?;
    audit::job(id, input, erased);
    Ok(ErasedJob { erased, came_back })
}

/// Makes Temporal forget a job. False where it runs again.
async fn forget(jobs: &Jobs, id: &JobId) -> Result<bool, ClientError> {
    loop {
        let executions = jobs.executions(id).await?;
        if executions.is_empty() {
            return Ok(true);
        }
        if executions.iter().any(|execution| execution.is_open) {
            return Ok(false);
        }
        for execution in executions {
            jobs.forget(&execution).await?;
        }
        // The server forgets a little later than it says.
        tokio::time::sleep(PAUSE).await;
    }
}

/// The jobs of a batch; none for what is no batch, or whose list cannot be read.
async fn members(store: &Store, id: &JobId) -> Result<Vec<JobId>, StageError> {
    let recordings = match BatchList::recordings(store, id.as_str()).await {
        Ok(recordings) => recordings.unwrap_or_default(),
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::warn!(%error, batch = %id, "the jobs of the batch are not known, and stay");
            Vec::new()
        }
        Err(error) => return Err(later(error)),
    };
    Ok(recordings.into_iter().filter_map(|recording| recording.id.parse().ok()).collect())
}

fn job_id(id: &str) -> Result<JobId, StageError> {
    id.parse().map_err(|error| StageError::bad_input(format!("{id} is no job: {error}")))
}

/// A full disk is no reason to give up what makes room on it.
fn later(error: StoreError) -> StageError {
    StageError::transient(error.to_string()).caused_by(error)
}
