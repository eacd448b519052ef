//! How a job ended, as the answer to the request that started it.

use std::time::Duration;

use api::{ApiError, ErrorKind, OwnJob};
use axum::http::StatusCode;
use engine::{
    result::{JobResult, JobStatus},
    temporal::client::{ClientError, JobEnd},
};

use crate::app_state::AppState;

/// Before Temporal is asked again after it has not answered.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Waits for the job's end, however long it takes.
///
/// # Errors
/// Why the job failed, or that the service stops before the job's end.
pub(super) async fn wait(state: &AppState, job: &OwnJob) -> Result<JobResult, ApiError> {
    tokio::select! {
        end = end(state, job) => result(state, job, end?.status).await,
        () = state.stop.cancelled() => Err(stopping(state, job)),
    }
}

/// The service stops, the job goes on.
pub(super) fn stopping(state: &AppState, job: &OwnJob) -> ApiError {
    let link = state.links.job(&job.name()).this;
    ApiError::unavailable(format!("the service is being restarted; the job goes on, and is found at {link}"))
}

/// A job outlives Temporal's absence, and so does the wait for it.
async fn end(state: &AppState, job: &OwnJob) -> Result<JobEnd, ApiError> {
    loop {
        match state.temporal.jobs()?.wait(job.as_str()).await {
            Err(ClientError::Silent(reason)) => tracing::warn!(reason, "Temporal is away; still waiting"),
            ended => return Ok(ended?),
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// What a job that has ended gave.
///
/// # Errors
/// Why it failed. A recording that cannot be used is the client's fault: 400.
pub(super) async fn result(state: &AppState, job: &OwnJob, status: JobStatus) -> Result<JobResult, ApiError> {
    let result = state.uploads.store.find_result(job.as_str()).await?;
    match (status, result) {
        (status, Some(result)) if status.has_transcript() => Ok(result),
        (JobStatus::Cancelled, _) => {
            let message = format!("the job {job} was cancelled");
            Err(ApiError::new(StatusCode::CONFLICT, ErrorKind::InvalidRequestError, message).code("cancelled"))
        }
        (_, Some(result)) if !result.errors.is_empty() => Err(failed(&result)),
        (status, _) => Err(ApiError::internal(format!("job {job} is {status} and left no result in the store"))),
    }
}

fn failed(result: &JobResult) -> ApiError {
    let messages: Vec<_> = result.errors.iter().map(|failure| failure.message.as_str()).collect();
    let message = messages.join("; ");
    if result.errors.iter().any(|failure| failure.stage == "ingest") {
        return ApiError::invalid(message).param("file").code("invalid_file");
    }
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorKind::ServerError, message)
}
