//! What activity adapters need: errors on their way out, heartbeats, one token that is cancelled with the job and when
//! the worker stops, and a way to tell their workflow what they have done so far.

use std::{convert::Infallible, error::Error, future::Future, time::Duration};

use futures_util::future::BoxFuture;
use serde::Serialize;
use temporalio_client::WorkflowSignalOptions;
use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::activities::{ActivityContext, ActivityError, ActivityInfo};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{client::Jobs, contracts::SegmentationProgress, workflows::TranscribeWorkflow};
use crate::{
    error::{FailureKind, StageError},
    ids::JobId,
};

/// How often an activity reports; with the worker's throttle this bounds how late a cancel arrives. One that is over
/// before spares the server the report, which it would write to its database.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// Between two signals of an activity to its workflow, each of which takes a workflow task and four events of its history.
const SIGNAL_PAUSE: Duration = Duration::from_secs(1);

/// With every so many units the pause grows by another such: there is much to recognise meanwhile.
const UNITS_OF_A_PAUSE: u32 = 50;

/// Runs an activity's work under heartbeats.
///
/// `progress` is asked for the details of each heartbeat. The token given to `work` is cancelled
/// when the job or `shutdown` is; the work then has to return soon.
///
/// # Errors
/// The work's own error, as Temporal wants it: cancelled, final, or to be retried.
pub async fn run<T, P, W>(
    context: &ActivityContext,
    shutdown: &CancellationToken,
    progress: impl Fn() -> P,
    work: impl FnOnce(CancellationToken) -> W,
) -> Result<T, ActivityError>
where
    P: Serialize + Send + 'static,
    W: Future<Output = Result<T, StageError>>,
{
    let stop = shutdown.child_token();
    let mut work = std::pin::pin!(work(stop.clone()));
    let mut beat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            () = context.cancelled(), if !stop.is_cancelled() => stop.cancel(),
            _ = beat.tick() => tell(context, progress()).await,
        }
    };
    if outcome.is_err() {
        // It goes with the failure, and the next attempt gets it.
        tell(context, progress()).await;
    }
    outcome.map_err(|error| to_activity_error(error, context, shutdown))
}

async fn tell<P: Serialize + Send + 'static>(context: &ActivityContext, progress: P) {
    if let Err(error) = context.record_heartbeat(progress).await {
        tracing::warn!(%error, "a heartbeat could not be written");
    }
}

/// The jobs of the server that the activity came from.
pub fn jobs(context: &ActivityContext) -> Jobs {
    context.client().into()
}

/// The job that the activity works for, where its workflow has a job's name.
pub fn job(context: &ActivityContext) -> Option<JobId> {
    context.info().workflow_id.as_ref()?.parse().ok()
}

/// The run of the job that the activity works for: the one that its input names, or else its workflow's own, which is
/// another one where a long job goes on.
pub fn run_of_job(context: &ActivityContext, named: Option<&str>) -> String {
    named.or(context.info().workflow_run_id.as_deref()).unwrap_or_default().to_owned()
}

/// Tells an ingest activity's workflow what is in the store, so that it is recognised while the rest is segmented. To
/// be dropped when the activity's work is done, which tells the workflow everything once more: it never ends by itself.
pub fn signal_segmentation(
    context: &ActivityContext,
    mut segmented: watch::Receiver<Option<SegmentationProgress>>,
) -> BoxFuture<'_, Infallible> {
    Box::pin(async move {
        let workflow = context.workflow_handle::<TranscribeWorkflow>();
        while segmented.changed().await.is_ok() {
            let so_far = segmented.borrow_and_update().clone();
            let units = so_far.as_ref().map_or(0, |so_far| so_far.units);
            if let (Some(workflow), Some(so_far)) = (&workflow, so_far) {
                let sent =
                    workflow.signal(TranscribeWorkflow::segmented, so_far, WorkflowSignalOptions::default()).await;
                sent.unwrap_or_else(
                    |error| tracing::warn!(%error, "the workflow could not be told what is in the store"),
                );
            }
            tokio::time::sleep(SIGNAL_PAUSE * (1 + units / UNITS_OF_A_PAUSE)).await;
        }
        std::future::pending().await
    })
}

fn to_activity_error(error: StageError, context: &ActivityContext, shutdown: &CancellationToken) -> ActivityError {
    let is_stopping = shutdown.is_cancelled() && !context.is_cancelled();
    failure(error, context.info(), is_stopping).map_or_else(ActivityError::cancelled, ActivityError::application)
}

/// `None` for an activity that was cancelled.
pub(super) fn failure(error: StageError, info: &ActivityInfo, is_stopping: bool) -> Option<ApplicationFailure> {
    match error.kind {
        // The server hands the unit to another worker at once.
        FailureKind::Cancelled if is_stopping => Some(ApplicationFailure::new("the worker is stopping")),
        FailureKind::Cancelled => None,
        kind => {
            let cause: &dyn Error = &error;
            tracing::warn!(error = cause, attempt = info.attempt, activity = info.activity_type, "failed");
            let failure = ApplicationFailure::builder(error.message)
                .type_name(format!("{kind:?}"))
                .maybe_next_retry_delay(error.retry_after)
                .non_retryable(kind != FailureKind::Transient);
            Some(failure.build())
        }
    }
}
