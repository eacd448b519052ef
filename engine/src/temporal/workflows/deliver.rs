//! Tells a user's server that a job has ended, for as long as it takes. A workflow of its own, so that the job is over
//! when its work is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use temporalio_common::{data_converters::PayloadConversionError, error::ChildWorkflowStartError};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ChildWorkflowOptions, ParentClosePolicy, WorkflowCancellationToken, WorkflowContext, WorkflowIdReusePolicy,
    WorkflowResult, WorkflowTermination,
};

use super::{
    activity_calls::{call, call_local},
    input::{failed, parse},
    stopped::Stopped,
};
use crate::{
    job::Webhook,
    result::JobStatus,
    temporal::contracts::{Deliver, DeliverInput, NoteUndelivered, Undelivered, WORKFLOW_QUEUE},
};

/// Tells jobs each run of which has a delivery of its own from those that were begun before that was so. The word is in
/// histories.
const DELIVERY_BY_RUN: &str = "delivery-by-run";

/// A receiver that takes longer has not taken it.
const DELIVER_LIMIT: Duration = Duration::from_secs(60);

/// The input of the `deliver` workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverRequest {
    pub job_id: String,
    pub status: JobStatus,
    pub webhook: Webhook,
}

#[workflow]
#[derive(Default)]
pub struct DeliverWorkflow;

#[workflow_methods]
impl DeliverWorkflow {
    #[run(name = "deliver")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: serde_json::Value) -> WorkflowResult<()> {
        let DeliverRequest { job_id, status, webhook } = parse(input)?;
        // The same for every attempt, so that a receiver knows what it has had before.
        let message_id = ctx.run_id().to_owned();
        let input = DeliverInput { job_id, status, message_id, webhook };
        let delivered = call::<Deliver, _>(ctx, input, DELIVER_LIMIT, ctx.cancellation_token()).await;
        delivered.map_err(|error| match Stopped::at::<Deliver>("deliver", &error) {
            Stopped::Failed(failure) => failed(failure.message),
            Stopped::Cancelled => WorkflowTermination::cancelled(),
        })
    }
}

/// Starts the delivery, which outlives the job's own workflow. The job is over and its result written: that the delivery
/// cannot be started is noted where its attempts are, and changes nothing else.
pub(super) async fn start_delivery<W>(ctx: &WorkflowContext<W>, webhook: Webhook, status: JobStatus) {
    // An earlier run's message may still be on its way: a receiver hears of both ends.
    let by_run = ctx.patched(DELIVERY_BY_RUN);
    let id = if by_run { id_of_run(ctx) } else { format!("{}.webhook", ctx.workflow_id()) };
    let Err(error) = start(ctx, id, webhook.clone(), status).await else { return };
    if !ctx.is_replaying() {
        tracing::warn!(job = ctx.workflow_id(), %error, "the webhook's delivery could not be started");
    }
    if by_run {
        note(ctx, webhook, status, &error).await;
    }
}

fn id_of_run<W>(ctx: &WorkflowContext<W>) -> String {
    format!("{}.{}.webhook", ctx.workflow_id(), ctx.run_id())
}

async fn start<W>(
    ctx: &WorkflowContext<W>,
    id: String,
    webhook: Webhook,
    status: JobStatus,
) -> Result<(), ChildWorkflowStartError> {
    let options = ChildWorkflowOptions::builder()
        .workflow_id(id)
        .task_queue(WORKFLOW_QUEUE.to_owned())
        .parent_close_policy(ParentClosePolicy::Abandon)
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate)
        // A token of its own: a cancelled job is told of, too.
        .cancellation_token(WorkflowCancellationToken::new())
        .build();
    let request = DeliverRequest { job_id: ctx.workflow_id().to_owned(), status, webhook };
    let input = serde_json::to_value(request)
        .map_err(|error| ChildWorkflowStartError::Serialization(PayloadConversionError::EncodingError(error.into())))?;
    ctx.start_child_workflow(DeliverWorkflow::run, input, options).await.map(drop)
}

async fn note<W>(ctx: &WorkflowContext<W>, webhook: Webhook, status: JobStatus, error: &ChildWorkflowStartError) {
    let (job_id, run_id) = (ctx.workflow_id().to_owned(), ctx.run_id().to_owned());
    let reason = format!("the delivery could not be started: {error}");
    let undelivered = Undelivered { job_id, run_id, status, webhook, reason };
    let noted = call_local::<NoteUndelivered, _>(ctx, undelivered, WorkflowCancellationToken::new()).await;
    if let Err(error) = noted
        && !ctx.is_replaying()
    {
        tracing::warn!(job = ctx.workflow_id(), %error, "that could not be noted in the delivery log either");
    }
}
