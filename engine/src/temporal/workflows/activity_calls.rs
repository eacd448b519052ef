//! Calling an activity: on its queue, or within the workflow task.

use std::time::Duration;

use temporalio_common::{
    Priority, RetryPolicy, data_converters::TemporalDeserializable, error::ActivityExecutionError,
};
use temporalio_sdk::{ActivityOptions, LocalActivityOptions, WorkflowCancellationToken, WorkflowContext};

use crate::temporal::contracts::Contract;

/// A worker that says nothing for so long is taken for dead, and its work is given to another.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// Tells workflows whose last activities are local ones from those that were begun before they were. The word is in
/// histories.
const LOCAL_END: &str = "ends-here";

/// Bounds an attempt of what only moves data when all else is done.
const LOCAL_LIMIT: Duration = Duration::from_secs(600);

/// Before an attempt within a workflow task, a longer pause becomes a timer of the workflow's.
const LONGEST_LOCAL_BACKOFF: Duration = Duration::from_secs(2);

/// The priority of activities that go first. Temporal's go from 1 to 5, and what names none has 3.
const HIGH_PRIORITY: u32 = 2;

/// Runs an activity on its queue. `limit` bounds one attempt; `token` cancels it.
///
/// Among activities of one priority the jobs take turns, however much each has to do, where the server is set up for
/// fairness.
pub(super) async fn call<C: Contract, W>(
    ctx: &WorkflowContext<W>,
    input: C::Input,
    limit: Duration,
    token: WorkflowCancellationToken,
) -> Result<C::Output, ActivityExecutionError>
where
    C::Output: TemporalDeserializable,
{
    let queue = C::queue(&input);
    let priority = Priority::builder()
        .maybe_priority_key(C::goes_first(&input).then_some(HIGH_PRIORITY))
        // A job's id may be longer than a key.
        .fairness_key(ctx.run_id())
        .build();
    let options = ActivityOptions::with_start_to_close_timeout(limit)
        .task_queue(queue)
        .priority(priority)
        .heartbeat_timeout(HEARTBEAT_TIMEOUT)
        .cancellation_token(token)
        .retry_policy(retry_policy::<C>())
        .build();
    ctx.execute_activity(C::REFERENCE, input, options).await
}

/// Runs an activity that only moves data when all else is done: in the process that the workflow is in, within its
/// workflow task, for it takes milliseconds and would cost the server more. It begins anew where the process dies, as on
/// a queue.
pub(super) async fn call_local<C: Contract, W>(
    ctx: &WorkflowContext<W>,
    input: C::Input,
    token: WorkflowCancellationToken,
) -> Result<C::Output, ActivityExecutionError>
where
    C::Output: TemporalDeserializable,
{
    if !ctx.patched(LOCAL_END) {
        return call::<C, W>(ctx, input, LOCAL_LIMIT, token).await;
    }
    let options = LocalActivityOptions::builder()
        .start_to_close_timeout(LOCAL_LIMIT)
        // The SDK's default would end the attempts early.
        .schedule_to_close_timeout(LOCAL_LIMIT * C::ATTEMPTS)
        .timer_backoff_threshold(LONGEST_LOCAL_BACKOFF)
        .cancellation_token(token)
        .retry_policy(retry_policy::<C>())
        .build();
    ctx.execute_local_activity(C::REFERENCE, input, options).await
}

fn retry_policy<C: Contract>() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_secs(1))
        .backoff_coefficient(2.0)
        .maximum_interval(C::LONGEST_PAUSE)
        .maximum_attempts(C::ATTEMPTS)
        .build()
}
