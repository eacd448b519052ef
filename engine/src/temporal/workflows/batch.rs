//! Many recordings: a parent workflow that keeps a bounded number of jobs running.
//!
//! The list of requests stays in the store and is read page by page. Each lane takes the next
//! entry as soon as its job is done. Before the history grows long, the lanes run dry and the
//! workflow goes on as a new run.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};
use temporalio_common::error::ChildWorkflowStartError;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ChildWorkflowOptions, ContinueAsNewOptions, ParentClosePolicy, StartChildWorkflowExecutionFailedCause,
    WorkflowContext, WorkflowContextView, WorkflowIdReusePolicy, WorkflowResult, WorkflowTermination,
    workflows::join_all,
};

use super::{
    activity_calls::call,
    input::{failed, parse},
    stopped::Stopped,
    transcribe::TranscribeWorkflow,
};
use crate::{
    result::JobStatus,
    temporal::{
        contracts::{BatchEntry, BatchPage, ReadBatch, WORKFLOW_QUEUE},
        progress::{Stage, WorkflowProgress},
    },
};

const PAGE_LIMIT: Duration = Duration::from_secs(600);

/// Past so many events the batch goes on in a new run. A job costs about eight.
const LONG_HISTORY: u32 = 6_000;

/// The input of the `batch` workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Where the list lies in the store: a JSON array of `{"id", "request"}`.
    pub requests_key: String,
    /// Length of the list.
    pub total: u32,
    /// Jobs that run at the same time.
    pub concurrency: u32,
    /// What earlier runs of the workflow have done; nothing at first.
    #[serde(default)]
    pub done: BatchOutcome,
}

/// How the jobs of a batch ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchOutcome {
    pub completed: u32,
    pub completed_with_errors: u32,
    pub failed: u32,
    pub cancelled: u32,
    /// Had been finished before this batch came, or run elsewhere.
    pub already_there: u32,
}

impl BatchOutcome {
    fn jobs(&self) -> u32 {
        self.completed + self.completed_with_errors + self.failed + self.cancelled + self.already_there
    }
}

#[workflow]
#[derive(Default)]
pub struct BatchWorkflow {
    waiting: VecDeque<BatchEntry>,
    /// Position in the list of the next entry to read.
    next: u32,
    reading: bool,
    outcome: BatchOutcome,
    total: u32,
}

#[workflow_methods]
impl BatchWorkflow {
    #[run(name = "batch")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: serde_json::Value) -> WorkflowResult<BatchOutcome> {
        let request: BatchRequest = parse(input)?;
        ctx.state_mut(|batch| {
            batch.next = request.done.jobs();
            batch.outcome = request.done;
            batch.total = request.total;
        });
        let lanes = (0..request.concurrency.max(1)).map(|_| Box::pin(lane(ctx, &request)));
        for ended in join_all(lanes).await {
            ended?;
        }
        let done = ctx.state(|batch| batch.outcome);
        if done.jobs() < request.total {
            let rest = serde_json::to_value(BatchRequest { done, ..request });
            let rest = rest.map_err(|error| failed(error.to_string()))?;
            ctx.continue_as_new(rest, ContinueAsNewOptions::default())?;
        }
        Ok(done)
    }

    #[query(name = "progress")]
    pub fn progress(&self, _ctx: &WorkflowContextView) -> WorkflowProgress {
        WorkflowProgress {
            stage: Stage::Transcribe,
            jobs_done: self.outcome.jobs(),
            jobs_total: self.total,
            ..WorkflowProgress::default()
        }
    }
}

/// Works off entries until the list or the room in the history is used up.
async fn lane(ctx: &WorkflowContext<BatchWorkflow>, request: &BatchRequest) -> Result<(), WorkflowTermination> {
    while let Some(entry) = next_entry(ctx, request).await? {
        run_job(ctx, entry).await?;
    }
    Ok(())
}

async fn next_entry(
    ctx: &WorkflowContext<BatchWorkflow>,
    request: &BatchRequest,
) -> Result<Option<BatchEntry>, WorkflowTermination> {
    loop {
        if ctx.history_length() > LONG_HISTORY {
            return Ok(None);
        }
        if let Some(entry) = ctx.state_mut(|batch| batch.waiting.pop_front()) {
            return Ok(Some(entry));
        }
        if ctx.state(|batch| batch.next >= request.total && !batch.reading) {
            return Ok(None);
        }
        if ctx.state(|batch| batch.reading) {
            ctx.wait_condition(|batch| !batch.reading).await?;
        } else {
            read_page(ctx, request).await?;
        }
    }
}

async fn read_page(ctx: &WorkflowContext<BatchWorkflow>, request: &BatchRequest) -> Result<(), WorkflowTermination> {
    let page = BatchPage {
        requests_key: request.requests_key.clone(),
        offset: ctx.state_mut(|batch| {
            batch.reading = true;
            batch.next
        }),
    };
    let entries = call::<ReadBatch, _>(ctx, page, PAGE_LIMIT, ctx.cancellation_token()).await;
    ctx.state_mut(|batch| batch.reading = false);
    let entries = entries.map_err(|error| match Stopped::at::<ReadBatch>("read_batch", &error) {
        Stopped::Failed(failure) => failed(failure.message),
        Stopped::Cancelled => WorkflowTermination::cancelled(),
    })?;
    if entries.is_empty() {
        return Err(failed(format!("the list {} is shorter than its {} jobs", request.requests_key, request.total)));
    }
    ctx.state_mut(|batch| {
        batch.next += u32::try_from(entries.len()).unwrap_or(u32::MAX);
        batch.waiting.extend(entries);
    });
    Ok(())
}

async fn run_job(ctx: &WorkflowContext<BatchWorkflow>, entry: BatchEntry) -> Result<(), WorkflowTermination> {
    let options = ChildWorkflowOptions::builder()
        .workflow_id(entry.id)
        .task_queue(WORKFLOW_QUEUE.to_owned())
        .parent_close_policy(ParentClosePolicy::RequestCancel)
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicateFailedOnly)
        .build();
    let request = serde_json::to_value(entry.request).map_err(|error| failed(error.to_string()))?;
    let started = ctx.start_child_workflow(TranscribeWorkflow::run, request, options).await;
    let ended = match started {
        Ok(child) => match child.result().await {
            Ok(outcome) => outcome.status,
            Err(_) if ctx.cancellation_token().is_cancelled() => return Err(WorkflowTermination::cancelled()),
            Err(_) => JobStatus::Failed,
        },
        Err(ChildWorkflowStartError::StartFailed {
            cause: StartChildWorkflowExecutionFailedCause::WorkflowAlreadyExists,
            ..
        }) => {
            ctx.state_mut(|batch| batch.outcome.already_there += 1);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    ctx.state_mut(|batch| match ended {
        JobStatus::Completed => batch.outcome.completed += 1,
        JobStatus::CompletedWithErrors => batch.outcome.completed_with_errors += 1,
        JobStatus::Cancelled => batch.outcome.cancelled += 1,
        JobStatus::Failed | JobStatus::Running => batch.outcome.failed += 1,
    });
    Ok(())
}
