//! What every activity adapter needs: errors on their way out, heartbeats, and one token that
//! falls when the job is cancelled or the worker stops.

use std::{future::Future, time::Duration};

use serde::Serialize;
use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio_util::sync::CancellationToken;

use crate::error::{FailureKind, StageError};

/// How often an activity reports; with the worker's throttle this bounds how late a cancel arrives.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// Runs an activity's work under heartbeats.
///
/// `progress` is asked for the details of each heartbeat. The token given to `work` falls when the
/// job is cancelled or `shutdown` falls; the work then has to return soon.
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
    let mut beat = tokio::time::interval(HEARTBEAT);
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            () = context.cancelled(), if !stop.is_cancelled() => stop.cancel(),
            _ = beat.tick() => {
                if let Err(error) = context.record_heartbeat(progress()).await {
                    tracing::warn!(%error, "a heartbeat could not be written");
                }
            }
        }
    };
    outcome.map_err(|error| outgoing(error, context, shutdown))
}

fn outgoing(error: StageError, context: &ActivityContext, shutdown: &CancellationToken) -> ActivityError {
    match error.kind {
        // The server hands the unit to another worker at once.
        FailureKind::Cancelled if shutdown.is_cancelled() && !context.is_cancelled() => {
            ActivityError::application(ApplicationFailure::new("the worker is stopping"))
        }
        FailureKind::Cancelled => ActivityError::cancelled(),
        kind => {
            tracing::warn!(%error, attempt = context.info().attempt, activity = context.info().activity_type, "failed");
            let failure = ApplicationFailure::builder(error)
                .type_name(format!("{kind:?}"))
                .non_retryable(kind != FailureKind::Transient);
            ActivityError::application(failure.build())
        }
    }
}
