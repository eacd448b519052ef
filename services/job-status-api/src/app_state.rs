//! What all handlers share: the ways to Temporal, to the store and to what is known of jobs.

use std::sync::Arc;

use api::{ApiError, ErrorKind, JobQuota, Links, OwnJob, Service, Temporal};
use axum::http::StatusCode;
use engine::{
    events::{JobWatchers, Subscription},
    result::{JobResult, JobStatus},
    store::{KnownHead, Store},
    temporal::client::ClientError,
};
use tokio_util::sync::CancellationToken;

use crate::recordings::Recordings;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) temporal: Temporal,
    pub(crate) store: Store,
    pub(crate) watchers: JobWatchers,
    pub(crate) recordings: Recordings,
    pub(crate) links: Links,
    pub(crate) quota: JobQuota,
    /// Cancelled when the service is told to stop.
    pub(crate) stop: CancellationToken,
}

impl AppState {
    pub(crate) fn new(service: &Service) -> Self {
        let store = &service.dependencies.store;
        let watchers = JobWatchers::new(store.clone(), service.notifications.clone());
        Self {
            temporal: service.dependencies.temporal.clone(),
            store: store.clone(),
            recordings: Recordings::new(store.clone(), watchers.results().clone()),
            watchers,
            links: service.links(),
            quota: service.quota(),
            stop: service.stop.clone(),
        }
    }

    /// The job as it is now, and what comes.
    pub(crate) async fn follow(&self, job: &OwnJob) -> Result<Subscription, ApiError> {
        Ok(self.watchers.watch(self.temporal.jobs()?, job.as_str()).await?)
    }

    /// The job's run that goes on or was the last; as its result says where Temporal has forgotten the job.
    ///
    /// # Errors
    /// 404 for a job that nobody knows.
    pub(crate) async fn latest_run(&self, job: &OwnJob) -> Result<String, ApiError> {
        match self.temporal.jobs()?.latest_run(job.as_str()).await {
            Err(error @ ClientError::NotFound { .. }) => {
                let known = self.watchers.results().find(job.as_str()).await?;
                Ok(known.ok_or(error)?.head.run_id.clone())
            }
            known => Ok(known?),
        }
    }

    /// The text of a job, which is there while language models are still at work on it.
    ///
    /// # Errors
    /// As [`AppState::result`].
    pub(crate) async fn text(&self, job: &OwnJob) -> Result<Text, ApiError> {
        let missing = match self.result(job).await {
            Ok(known) => return Ok(Text::Stored(known)),
            Err(missing) if missing.status() == StatusCode::CONFLICT => missing,
            Err(error) => return Err(error),
        };
        let progress = Arc::clone(&self.follow(job).await?.borrow().progress);
        if progress.status.is_final() {
            return Err(missing);
        }
        let transcript = self.store.find_transcript(job.as_str(), &progress.run_id).await?.ok_or(missing)?;
        Ok(Text::SoFar(Box::new(JobResult::so_far(job.to_string(), transcript))))
    }

    /// The result of a job that has text, which Temporal may have forgotten meanwhile. That of one that was cancelled is
    /// what it had until then.
    ///
    /// # Errors
    /// 404 for a job that nobody knows, 409 for one that has not ended or gave no transcript.
    pub(crate) async fn result(&self, job: &OwnJob) -> Result<KnownHead, ApiError> {
        let known = self.watchers.results().find(job.as_str()).await?;
        if let Some(known) = known.filter(|known| known.head.has_transcript()) {
            return Ok(known);
        }
        // A job that failed may have been started again.
        let status = self.follow(job).await?.borrow().progress.status;
        Err(no_transcript(job, status))
    }
}

/// The text of a job.
pub(crate) enum Text {
    /// In the result of one that has ended.
    Stored(KnownHead),
    /// Of one that goes on.
    SoFar(Box<JobResult>),
}

/// The job has no text, or not all of it.
pub(crate) fn no_transcript(job: &OwnJob, status: JobStatus) -> ApiError {
    let advice = if status.is_final() { "" } else { "; follow its events until it has ended" };
    let message = format!("there is no transcript: the job {job} is {status}{advice}");
    ApiError::new(StatusCode::CONFLICT, ErrorKind::InvalidRequestError, message).code("no_transcript")
}
