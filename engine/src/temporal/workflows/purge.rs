//! Makes a job disappear: stops it, erases what the store has of it, then what Temporal knows of it. A workflow, so that
//! a purge that is killed in the middle is ended later, whoever asked for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use temporalio_common::error::ActivityExecutionError;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowCancellationToken, WorkflowContext, WorkflowResult, WorkflowTermination};

use super::{
    activity_calls::call,
    input::{failed, parse},
    stopped::Stopped as Failed,
};
use crate::{
    erasure::{Erased, Scope},
    temporal::contracts::{Contract, EraseInput, EraseJob, ErasedJob, StopInput, StopJob, Stopped},
};

/// Bounds an attempt. A batch has its jobs stopped and erased one after the other.
const LIMIT: Duration = Duration::from_secs(12 * 3600);

/// An activity of a cancelled job learns of it with its next heartbeat, and may write something until then.
const SETTLING: Duration = Duration::from_secs(4);

/// The input of the `purge` workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurgeRequest {
    pub job_id: String,
    #[serde(default)]
    pub scope: Scope,
    /// Who wants it, for the audit log.
    pub asked_by: String,
    /// Leave one alone that runs.
    #[serde(default)]
    pub spare_running: bool,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeOutcome {
    pub objects: u64,
    pub bytes: u64,
    /// It ran, and was to be left alone then.
    pub spared: bool,
}

#[workflow]
#[derive(Default)]
pub struct PurgeWorkflow;

#[workflow_methods]
impl PurgeWorkflow {
    #[run(name = "purge")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: serde_json::Value) -> WorkflowResult<PurgeOutcome> {
        let request: PurgeRequest = parse(input)?;
        let mut erased = Erased::default();
        loop {
            let Stopped { ran, spared } = stop(ctx, &request).await?;
            if spared {
                return Ok(PurgeOutcome { spared, ..PurgeOutcome::default() });
            }
            if ran {
                ctx.timer(SETTLING).await;
            }
            let step = erase(ctx, &request).await?;
            erased.add(step.erased);
            if !step.came_back {
                return Ok(PurgeOutcome { objects: erased.objects, bytes: erased.bytes, spared });
            }
        }
    }
}

async fn stop(ctx: &WorkflowContext<PurgeWorkflow>, request: &PurgeRequest) -> Result<Stopped, WorkflowTermination> {
    let input = StopInput { job_id: request.job_id.clone(), spare_running: request.spare_running };
    let stopped = call::<StopJob, _>(ctx, input, LIMIT, to_its_end()).await;
    stopped.map_err(|error| terminated::<StopJob>(&error))
}

async fn erase(ctx: &WorkflowContext<PurgeWorkflow>, request: &PurgeRequest) -> Result<ErasedJob, WorkflowTermination> {
    let PurgeRequest { job_id, scope, asked_by, .. } = request.clone();
    let erased = call::<EraseJob, _>(ctx, EraseInput { job_id, scope, asked_by }, LIMIT, to_its_end()).await;
    erased.map_err(|error| terminated::<EraseJob>(&error))
}

/// A token of its own: a purge that has begun is ended, for half a job is of no use to anybody.
fn to_its_end() -> WorkflowCancellationToken {
    WorkflowCancellationToken::new()
}

fn terminated<C: Contract>(error: &ActivityExecutionError) -> WorkflowTermination {
    match Failed::at::<C>(C::NAME, error) {
        Failed::Failed(failure) => failed(failure.message),
        Failed::Cancelled => WorkflowTermination::cancelled(),
    }
}
