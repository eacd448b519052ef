//! An activity that mostly waits, and takes no slot for that: its worker takes others on meanwhile.

use std::{convert::Infallible, time::Duration};

use temporalio_client::{ActivityIdentifier, AsyncActivityHandle, Client, RpcOptions, errors::AsyncActivityError};
use temporalio_common::data_converters::TemporalSerializable;
use temporalio_sdk::activities::{ActivityContext, ActivityError, ActivityInfo};
use tokio_util::sync::CancellationToken;

use super::activity::failure;
use crate::error::StageError;

/// How often it reports, and so how late a cancel reaches it. Each report is a call to the server.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// As [`super::activity::run`], for work that mostly waits. It goes on by itself; what is returned frees the slot.
///
/// Where the worker dies or is stopped, the missing heartbeats tell the server, which has the activity tried again.
pub fn run_without_slot<T, P, W>(
    context: &ActivityContext,
    shutdown: &CancellationToken,
    progress: impl Fn() -> P + Send + 'static,
    work: impl FnOnce(CancellationToken) -> W,
) -> ActivityError
where
    T: TemporalSerializable + Send + 'static,
    P: TemporalSerializable + Send + 'static,
    W: Future<Output = Result<T, StageError>> + Send + 'static,
{
    let info = context.info().clone();
    let token = ActivityIdentifier::from_task_token(info.task_token.clone().into());
    let server = context.client().get_async_activity_handle(token);
    let (shutdown, stop) = (shutdown.clone(), shutdown.child_token());
    let work = work(stop.clone());
    tokio::spawn(async move {
        let outcome = tokio::select! {
            outcome = work => outcome,
            never = beat(&server, progress, &stop) => match never {},
        };
        if let Err(error) = report(&server, &info, outcome, shutdown.is_cancelled()).await {
            tracing::warn!(%error, "an activity's end could not be told");
        }
    });
    ActivityError::WillCompleteAsync
}

/// Cancels `stop` where the job is cancelled, or the activity is no longer this worker's.
async fn beat<P: TemporalSerializable + Send + 'static>(
    server: &AsyncActivityHandle<Client>,
    progress: impl Fn() -> P,
    stop: &CancellationToken,
) -> Infallible {
    let mut beat = tokio::time::interval(HEARTBEAT);
    loop {
        beat.tick().await;
        match server.heartbeat(Some(progress()), RpcOptions::default()).await {
            Ok(answer) if answer.cancel_requested => stop.cancel(),
            Ok(_) => {}
            Err(AsyncActivityError::NotFound(_)) => stop.cancel(),
            Err(error) => tracing::warn!(%error, "a heartbeat could not be written"),
        }
    }
}

async fn report<T: TemporalSerializable + Send + 'static>(
    server: &AsyncActivityHandle<Client>,
    info: &ActivityInfo,
    outcome: Result<T, StageError>,
    is_stopping: bool,
) -> Result<(), AsyncActivityError> {
    match outcome.map_err(|error| failure(error, info, is_stopping)) {
        Ok(value) => server.complete(Some(value), RpcOptions::default()).await,
        Err(Some(failure)) => server.fail(failure, None::<()>, RpcOptions::default()).await,
        Err(None) => server.report_cancelation(None::<()>, RpcOptions::default()).await,
    }
}
