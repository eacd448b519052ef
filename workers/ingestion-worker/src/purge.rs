//! Making one job disappear, in steps of some seconds. Each may be begun again where it was killed, and what is left is
//! found by looking, so that a step takes up where the last one ended.

mod batch;

use std::time::Duration;

use engine::{
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

/// What a step may take before it leaves the rest to the next one: others wait for its slot.
const STEP: Duration = Duration::from_secs(3);

/// Calls to Temporal, or jobs of a batch, at the same time.
const IN_FLIGHT: usize = 8;

/// Between two looks whether the server has forgotten what it was told to forget.
const PAUSE: Duration = Duration::from_millis(250);

/// Cancels all that runs of a job and, for a batch, of its jobs. Whoever asked looks again whether it has stopped.
pub(crate) async fn stop(jobs: &Jobs, store: &Store, input: &StopInput) -> Result<Stopped, StageError> {
    let id = job_id(&input.job_id)?;
    let mut open = jobs.executions(&id).await?;
    open.retain(|execution| execution.is_open);
    if input.spare_running && !open.is_empty() {
        return Ok(Stopped { ran: true, spared: true, going: false });
    }
    // The batch first, so that it begins no more jobs.
    let ran = !open.is_empty();
    end(jobs, open, input.force).await?;
    let open = if batch::is_one(jobs, store, &id).await? { batch::open(jobs, &id).await? } else { Vec::new() };
    let going = ran || !open.is_empty();
    end(jobs, open, input.force).await?;
    Ok(Stopped { ran: going, spared: false, going })
}

/// Asks as many to stop as a step has time for.
async fn end(jobs: &Jobs, open: Vec<Execution>, force: bool) -> Result<(), ClientError> {
    let deadline = Instant::now() + STEP;
    let asked = stream::iter(open).map(|execution| async move {
        if Instant::now() > deadline {
            Ok(())
        } else if force {
            jobs.forget(&execution).await.map(drop)
        } else {
            cancel(jobs, &execution.id).await
        }
    });
    asked.buffer_unordered(IN_FLIGHT).try_collect().await
}

async fn cancel(jobs: &Jobs, id: &str) -> Result<(), ClientError> {
    match jobs.cancel(id).await {
        // It ended by itself meanwhile.
        Err(ClientError::NotFound { .. }) => Ok(()),
        asked => asked,
    }
}

/// Erases some of a job that was stopped. For a batch its jobs go first, for without it nobody would look for them.
pub(crate) async fn erase(jobs: &Jobs, store: &Store, input: &EraseInput) -> Result<ErasedJob, StageError> {
    let id = job_id(&input.job_id)?;
    references::complete(store).await.map_err(later)?;
    let mut total = ErasedJob::default();
    if input.scope == Scope::Everything && batch::is_one(jobs, store, &id).await? {
        total = batch::erase(jobs, store, &id, input).await?;
    }
    if !total.came_back && !total.more {
        total.add(erase_one(jobs, store, &id, input).await?);
    }
    Ok(total)
}

async fn erase_one(jobs: &Jobs, store: &Store, id: &JobId, input: &EraseInput) -> Result<ErasedJob, StageError> {
    let erased = erasure::job(store, id.as_str(), input.scope).await.map_err(later)?;
    audit::job(id, input, erased);
    let step = match input.scope {
        Scope::Everything => forget(jobs, id).await?,
        Scope::Recording => ErasedJob::default(),
    };
    Ok(ErasedJob { erased, ..step })
}

/// Makes Temporal forget a job.
async fn forget(jobs: &Jobs, id: &JobId) -> Result<ErasedJob, ClientError> {
    let deadline = Instant::now() + STEP;
    loop {
        let executions = jobs.executions(id).await?;
        let came_back = executions.iter().any(|execution| execution.is_open);
        let more = Instant::now() > deadline;
        if executions.is_empty() || came_back || more {
            let more = more && !executions.is_empty();
            return Ok(ErasedJob { erased: Erased::default(), came_back, more });
        }
        for execution in executions {
            jobs.forget(&execution).await?;
        }
        // The server forgets a little later than it says.
        tokio::time::sleep(PAUSE).await;
    }
}

fn job_id(id: &str) -> Result<JobId, StageError> {
    id.parse().map_err(|error| StageError::bad_input(format!("{id} is no job: {error}")))
}

/// A full disk is no reason to give up what makes room on it.
fn later(error: StoreError) -> StageError {
    StageError::transient(error.to_string()).caused_by(error)
}
