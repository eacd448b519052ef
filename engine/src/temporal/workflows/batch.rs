//! Many recordings: a parent workflow that keeps a bounded number of jobs running.
//!
//! The list of requests stays in the store and is read page by page. Each lane takes the next
//! entry as soon as its job is done. Before the history grows long, the lanes run dry and the
//! workflow goes on as a new run.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use temporalio_common::error::{ChildWorkflowExecutionError, ChildWorkflowStartError};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ChildWorkflowOptions, MemoValue, ParentClosePolicy, StartChildWorkflowExecutionFailedCause, WorkflowContext,
    WorkflowContextView, WorkflowIdReusePolicy, WorkflowResult, WorkflowTermination, workflows::join_all,
};

use super::{
    activity_calls::call,
    input::{failed, parse},
    next_run::next_run_of,
    stopped::Stopped,
    transcribe::TranscribeWorkflow,
};
use crate::{
    batch_list::BatchEntry,
    result::JobStatus,
    temporal::{
        contracts::{BatchPage, ReadBatch, WORKFLOW_QUEUE},
        progress::{BatchOutcome, Stage, WorkflowProgress},
    },
};

const PAGE_LIMIT: Duration = Duration::from_secs(600);

/// Past so many events the batch goes on in a new run. A job costs about eight.
const LONG_HISTORY: u32 = 6_000;

/// As soon, where its requests have so many bytes, each of which is in the history twice: it may have 50 MB.
const LARGE_HISTORY: usize = 10_000_000;

/// Tells batches that heed [`LARGE_HISTORY`] from those that were begun before that was done. The word is in histories.
const BOUNDED_BYTES: &str = "bounded-bytes";

/// Tells batches that leave their numbers from those that were begun before that was done. The word is in histories.
const WITH_NUMBERS: &str = "batch-numbers";

/// Names the memo entry that tells the numbers of a batch that has ended.
pub(crate) const NUMBERS_MEMO: &str = "numbers";

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
    /// When the first run was started, for later ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<SystemTime>,
}

/// The jobs of a batch that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BatchNumbers {
    pub(crate) outcome: BatchOutcome,
    pub(crate) total: u32,
}

#[workflow]
#[derive(Default)]
pub struct BatchWorkflow {
    waiting: VecDeque<BatchEntry>,
    /// Position in the list of the next entry to read.
    next: u32,
    reading: bool,
    /// Of the requests that this run has read.
    bytes: usize,
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
        let ended: Result<(), WorkflowTermination> = join_all(lanes).await.into_iter().collect();
        let done = ctx.state(|batch| batch.outcome);
        if ended.is_ok() && done.jobs() < request.total {
            // The next run would not know that it is to be cancelled.
            if ctx.cancellation_token().is_cancelled() {
                leave_numbers(ctx)?;
                return Err(WorkflowTermination::cancelled());
            }
            let started = request.started.or_else(|| ctx.info().start_time()).unwrap_or(SystemTime::UNIX_EPOCH);
            let rest = serde_json::to_value(BatchRequest { done, started: Some(started), ..request });
            let rest = rest.map_err(|error| failed(error.to_string()))?;
            match ctx.continue_as_new(rest, next_run_of(started))? {}
        }
        leave_numbers(ctx)?;
        ended.map(|()| done)
    }

    #[query(name = "progress")]
    pub fn progress(&self, _ctx: &WorkflowContextView) -> WorkflowProgress {
        WorkflowProgress {
            stage: Stage::Transcribe,
            jobs_done: self.outcome.jobs(),
            jobs_total: self.total,
            jobs: Some(self.outcome),
            ..WorkflowProgress::default()
        }
    }
}

/// Leaves the numbers of jobs where they are found when the workflow answers no queries any more.
fn leave_numbers(ctx: &WorkflowContext<BatchWorkflow>) -> Result<(), WorkflowTermination> {
    if ctx.patched(WITH_NUMBERS) {
        let numbers = ctx.state(|batch| BatchNumbers { outcome: batch.outcome, total: batch.total });
        ctx.upsert_memo([(NUMBERS_MEMO, Some(MemoValue::new(numbers)))])?;
    }
    Ok(())
}

/// Works off entries until the list or the room in the history is used up.
async fn lane(ctx: &WorkflowContext<BatchWorkflow>, request: &BatchRequest) -> Result<(), WorkflowTermination> {
    while let Some(entry) = next_entry(ctx, request).await? {
        run_job(ctx, entry).await?;
        if ctx.cancellation_token().is_cancelled() {
            return Err(WorkflowTermination::cancelled());
        }
    }
    Ok(())
}

async fn next_entry(
    ctx: &WorkflowContext<BatchWorkflow>,
    request: &BatchRequest,
) -> Result<Option<BatchEntry>, WorkflowTermination> {
    loop {
        let is_large = ctx.state(|batch| batch.bytes > LARGE_HISTORY) && ctx.patched(BOUNDED_BYTES);
        if is_large || ctx.history_length() > LONG_HISTORY {
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
    let bytes = serde_json::to_vec(&entries).map_or(0, |json| json.len());
    ctx.state_mut(|batch| {
        batch.bytes += bytes;
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
            Err(error) if is_cancelled(&error) => JobStatus::Cancelled,
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

fn is_cancelled(error: &ChildWorkflowExecutionError) -> bool {
    error.cause().is_some_and(|cause| cause.as_cancelled().is_some())
}
