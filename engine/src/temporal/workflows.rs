//! The workflows' common ground: calling an activity, and telling failure from cancellation.
//!
//! Workflow code is deterministic: no clock, no randomness and no I/O but the SDK's own.

mod batch;
mod deliver;
mod llm;
mod recognise;
mod transcribe;

use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use temporalio_common::{
    Priority, RetryPolicy,
    data_converters::TemporalDeserializable,
    error::{ActivityExecutionError, ApplicationFailure, IncomingError},
};
use temporalio_sdk::{
    ActivityOptions, LocalActivityOptions, WorkflowCancellationToken, WorkflowContext, WorkflowTermination,
};

pub use batch::{BatchOutcome, BatchRequest, BatchWorkflow};
pub use deliver::{DeliverRequest, DeliverWorkflow};
pub use llm::{LlmRequest, LlmWorkflow};
pub use transcribe::{JobOutcome, TranscribeWorkflow};

use super::contracts::Contract;
use crate::{error::FailureKind, result::StageFailure};

/// Names the memo entry that tells `completed_with_errors` from `completed` in listings.
pub(crate) const STATUS_MEMO: &str = "status";

/// A worker that says nothing for so long is taken for dead, and its work is given to another.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// Tells workflows that end within a workflow task from those that were begun before that was done.
const ENDS_HERE: &str = "ends-here";

/// Bounds an attempt of what only moves data when all else is done.
const LONGEST_END: Duration = Duration::from_secs(600);

/// Before an attempt within a workflow task, a longer pause becomes a timer of the workflow's.
const LONGEST_PAUSE_HERE: Duration = Duration::from_secs(2);

/// The level of activities that go first. Temporal's go from 1 to 5, and what names none has 3.
const FIRST: u32 = 2;

/// Why a job did not reach its next stage.
#[derive(Debug, Clone)]
enum Stopped {
    Cancelled,
    Failed(StageFailure),
}

impl Stopped {
    fn at<C: Contract>(stage: &str, error: &ActivityExecutionError) -> Self {
        if error.as_cancelled().is_some() {
            return Self::Cancelled;
        }
        let message = match error.reason() {
            Some(IncomingError::Application(failure)) => failure.to_string(),
            Some(IncomingError::Timeout(_)) => format!(
                "no worker finished it: each of {} attempts was lost or took too long; look at the workers' logs",
                C::ATTEMPTS
            ),
            _ => error.to_string(),
        };
        Self::Failed(StageFailure { stage: stage.to_owned(), message })
    }
}

/// Runs an activity on its queue. `longest` bounds one attempt; `token` ends it early.
///
/// Within a level the jobs take turns, however much each has to do, where the server is set up for fairness.
async fn call<C: Contract, W>(
    ctx: &WorkflowContext<W>,
    input: C::Input,
    longest: Duration,
    token: WorkflowCancellationToken,
) -> Result<C::Output, ActivityExecutionError>
where
    C::Output: TemporalDeserializable,
{
    let queue = C::queue(&input);
    let turn = Priority::builder()
        .maybe_priority_key(C::goes_first(&input).then_some(FIRST))
        // A job's id may be longer than a key.
        .fairness_key(ctx.run_id())
        .build();
    let options = ActivityOptions::with_start_to_close_timeout(longest)
        .task_queue(queue)
        .priority(turn)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .cancellation_token(token)
        .retry_policy(retries::<C>())
        .build();
    ctx.execute_activity(C::REFERENCE, input, options).await
}

/// Runs an activity that only moves data when all else is done: in the process that the workflow is in, within its
/// workflow task, for it takes milliseconds and would cost the server more. It begins anew where the process dies, as on
/// a queue.
async fn call_at_the_end<C: Contract, W>(
    ctx: &WorkflowContext<W>,
    input: C::Input,
    token: WorkflowCancellationToken,
) -> Result<C::Output, ActivityExecutionError>
where
    C::Output: TemporalDeserializable,
{
    if !ctx.patched(ENDS_HERE) {
        return call::<C, W>(ctx, input, LONGEST_END, token).await;
    }
    let options = LocalActivityOptions::builder()
        .start_to_close_timeout(LONGEST_END)
        // The SDK's default would end the attempts early.
        .schedule_to_close_timeout(LONGEST_END * C::ATTEMPTS)
        .timer_backoff_threshold(LONGEST_PAUSE_HERE)
        .cancellation_token(token)
        .retry_policy(retries::<C>())
        .build();
    ctx.execute_local_activity(C::REFERENCE, input, options).await
}

fn retries<C: Contract>() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_secs(1))
        .backoff_coefficient(2.0)
        .maximum_interval(C::LONGEST_PAUSE)
        .maximum_attempts(C::ATTEMPTS)
        .build()
}

/// The workflow's input, parsed in the workflow and not by the SDK: a workflow whose input the SDK
/// cannot read would hang for ever instead of failing.
fn parse<T: DeserializeOwned>(input: serde_json::Value) -> Result<T, WorkflowTermination> {
    serde_json::from_value(input).map_err(|error| failed(format!("the workflow's input is wrong: {error}")))
}

fn failed(message: String) -> WorkflowTermination {
    let failure = ApplicationFailure::builder(message).type_name(format!("{:?}", FailureKind::BadInput));
    failure.non_retryable(true).build().into()
}

/// A stopwatch on the workflow's own clock.
struct Clock {
    started: SystemTime,
    lap: SystemTime,
}

impl Clock {
    /// Starts at the workflow's submission.
    fn start<W>(ctx: &WorkflowContext<W>) -> Self {
        let started = ctx.info().start_time().unwrap_or(SystemTime::UNIX_EPOCH);
        Self { started, lap: started }
    }

    /// Seconds since the last lap.
    fn lap<W>(&mut self, ctx: &WorkflowContext<W>) -> f64 {
        let now = ctx.workflow_time().unwrap_or(self.lap);
        let seconds = now.duration_since(self.lap).unwrap_or_default().as_secs_f64();
        self.lap = now;
        seconds
    }

    /// Seconds since submission.
    fn total<W>(&self, ctx: &WorkflowContext<W>) -> f64 {
        let now = ctx.workflow_time().unwrap_or(self.started);
        now.duration_since(self.started).unwrap_or_default().as_secs_f64()
    }
}
