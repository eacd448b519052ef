//! Tells a user's server that a job has ended, for as long as it takes. A workflow of its own, so that the job is over
//! when its work is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use temporalio_common::{data_converters::PayloadConversionError, error::ChildWorkflowStartError};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ChildWorkflowOptions, ParentClosePolicy, StartChildWorkflowExecutionFailedCause as FailedCause,
    WorkflowCancellationToken, WorkflowContext, WorkflowIdReusePolicy, WorkflowResult, WorkflowTermination,
};

use super::{
    activity_calls::call,
    input::{failed, parse},
    stopped::Stopped,
};
use crate::{
    job::Webhook,
    result::JobStatus,
    temporal::contracts::{Deliver, DeliverInput, WORKFLOW_QUEUE},
};

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

/// Starts the delivery, which outlives the job's own workflow.
pub(super) async fn start_delivery<W>(ctx: &WorkflowContext<W>, webhook: Webhook, status: JobStatus) {
    let job_id = ctx.workflow_id().to_owned();
    let options = ChildWorkflowOptions::builder()
        .workflow_id(format!("{job_id}.webhook"))
        .task_queue(WORKFLOW_QUEUE.to_owned())
        .parent_close_policy(ParentClosePolicy::Abandon)
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate)
        // A token of its own: a cancelled job is told of, too.
        .cancellation_token(WorkflowCancellationToken::new())
        .build();
    let started = match serde_json::to_value(DeliverRequest { job_id, status, webhook }) {
        Ok(input) => ctx.start_child_workflow(DeliverWorkflow::run, input, options).await.map(drop),
        Err(error) => Err(ChildWorkflowStartError::Serialization(PayloadConversionError::EncodingError(error.into()))),
    };
    match started {
        // Where an earlier run's message is still on its way, that one is enough.
        Ok(()) | Err(ChildWorkflowStartError::StartFailed { cause: FailedCause::WorkflowAlreadyExists, .. }) => {}
        // The job is over and its result written: its end does not depend on who could be told.
        Err(error) if !ctx.is_replaying() => {
            tracing::warn!(job = ctx.workflow_id(), %error, "the webhook's delivery could not be started");
        }
        Err(_) => {}
    }
}
