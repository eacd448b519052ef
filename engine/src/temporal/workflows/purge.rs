//! Makes a job disappear: stops it, erases what the store has of it, then what Temporal knows of it. A workflow, so that
//! a purge that is killed in the middle is ended later, whoever asked for it. Its steps are short: a batch of many jobs
//! takes many of them, and others have theirs in between.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use temporalio_common::{MemoValues, error::ActivityExecutionError};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ContinueAsNewOptions, WorkflowCancellationToken, WorkflowContext, WorkflowResult, WorkflowTermination,
};

use super::{
    activity_calls::{call, uncancelled},
    input::{failed, parse},
    stopped::Stopped as Failed,
};
use crate::{
    erasure::{Erased, Scope},
    temporal::contracts::{Contract, EraseInput, EraseJob, ErasedJob, StopInput, StopJob, Stopped},
};

/// Bounds an attempt. A step takes some seconds, unless one recording has very many pieces.
const LIMIT: Duration = Duration::from_secs(12 * 3600);

/// An activity of a cancelled job learns of it with its next heartbeat, and may write something until then.
const SETTLING: Duration = Duration::from_secs(4);

/// Between two looks whether what was asked to stop has stopped: from the first of these to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));

/// What has not stopped after so long has no worker that could stop it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Past so many events the purge goes on in a new run.
const LONG_HISTORY: u32 = 6_000;

/// Names the memo entry that tells how much goes.
pub(crate) const EXTENT_MEMO: &str = "extent";

/// All of a job, whether it runs or not.
pub(crate) const EVERYTHING: &str = "everything";

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
    /// What earlier runs of the workflow have erased; nothing at first.
    #[serde(default, skip_serializing_if = "Erased::is_nothing")]
    pub done: Erased,
}

impl PurgeRequest {
    /// How much goes, in a word.
    pub(crate) fn extent(&self) -> &'static str {
        match (self.scope, self.spare_running) {
            (Scope::Everything, false) => EVERYTHING,
            (Scope::Everything, true) => "everything unless it runs",
            (Scope::Recording, false) => "recording",
            (Scope::Recording, true) => "recording unless it runs",
        }
    }
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

/// How erasing ended.
enum End {
    Gone,
    /// It runs again.
    CameBack,
}

#[workflow_methods]
impl PurgeWorkflow {
    #[run(name = "purge")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: serde_json::Value) -> WorkflowResult<PurgeOutcome> {
        let mut request: PurgeRequest = parse(input)?;
        loop {
            if stop(ctx, &request).await? {
                return Ok(PurgeOutcome { spared: true, ..PurgeOutcome::default() });
            }
            if let End::Gone = erase(ctx, &mut request).await? {
                let Erased { objects, bytes } = request.done;
                return Ok(PurgeOutcome { objects, bytes, spared: false });
            }
        }
    }
}

/// Until nothing of it runs. True for one that runs and is spared.
async fn stop(ctx: &WorkflowContext<PurgeWorkflow>, request: &PurgeRequest) -> Result<bool, WorkflowTermination> {
    let (mut pause, longest) = PAUSES;
    let mut waited = Duration::ZERO;
    let mut has_run = false;
    loop {
        let force = waited >= PATIENCE;
        let input = StopInput { job_id: request.job_id.clone(), spare_running: request.spare_running, force };
        let stopped = call::<StopJob, _>(ctx, input, LIMIT, to_its_end()).await;
        let Stopped { ran, spared, going } = stopped.map_err(|error| terminated::<StopJob>(&error))?;
        if spared {
            return Ok(true);
        }
        has_run |= ran;
        if !going {
            break;
        }
        ctx.timer(uncancelled(pause)).await;
        waited += pause;
        pause = (2 * pause).min(longest);
    }
    if has_run {
        ctx.timer(uncancelled(SETTLING)).await;
    }
    Ok(false)
}

async fn erase(ctx: &WorkflowContext<PurgeWorkflow>, request: &mut PurgeRequest) -> Result<End, WorkflowTermination> {
    for page in 0.. {
        let PurgeRequest { job_id, scope, asked_by, .. } = request.clone();
        let input = EraseInput { job_id, scope, asked_by, page };
        let erased = call::<EraseJob, _>(ctx, input, LIMIT, to_its_end()).await;
        let ErasedJob { erased, came_back, more } = erased.map_err(|error| terminated::<EraseJob>(&error))?;
        request.done.add(erased);
        if came_back {
            return Ok(End::CameBack);
        }
        if !more {
            return Ok(End::Gone);
        }
        if ctx.history_length() > LONG_HISTORY {
            let rest = serde_json::to_value(&*request).map_err(|error| failed(error.to_string()))?;
            match ctx.continue_as_new(rest, next_run(request))? {}
        }
    }
    Ok(End::Gone)
}

fn next_run(request: &PurgeRequest) -> ContinueAsNewOptions {
    let mut memo = MemoValues::new();
    memo.insert(EXTENT_MEMO, request.extent().to_owned());
    ContinueAsNewOptions::builder().memo(memo).build()
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
