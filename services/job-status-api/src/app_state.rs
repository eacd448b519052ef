//! What all handlers share: the ways to Temporal, to the store and to what is known of jobs.

use api::{ApiError, ErrorKind, JobQuota, Links, OwnJob, Service, Temporal};
use axum::http::StatusCode;
use engine::{
    events::{JobWatchers, Subscription},
    result::JobResult,
    store::Store,
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
        Self {
            temporal: service.dependencies.temporal.clone(),
            store: store.clone(),
            watchers: JobWatchers::new(store.clone(), service.notifications.clone()),
            recordings: Recordings::new(store.clone()),
            links: service.links(),
            quota: service.quota(),
            stop: service.stop.clone(),
        }
    }

    /// The job as it is now, and what comes.
    pub(crate) async fn follow(&self, job: &OwnJob) -> Result<Subscription, ApiError> {
        Ok(self.watchers.watch(self.temporal.jobs()?, job.as_str()).await?)
    }

    /// The result of a job as its client may read it. Temporal may have forgotten the job meanwhile.
    ///
    /// # Errors
    /// 404 for a job that nobody knows, 409 for one that has not ended or gave no transcript.
    pub(crate) async fn result(&self, job: &OwnJob) -> Result<JobResult, ApiError> {
        let result = self.store.find_result(job.as_str()).await?;
        if let Some(result) = result.filter(|result| result.status.has_transcript()) {
            return Ok(job.told(result));
        }
        // A job that failed may have been started again.
        let status = self.follow(job).await?.borrow().progress.status;
        let advice = if status.is_final() { "" } else { "; follow its events until it has ended" };
        let message = format!("there is no transcript: the job {job} is {status}{advice}");
        Err(ApiError::new(StatusCode::CONFLICT, ErrorKind::InvalidRequestError, message).code("no_transcript"))
    }
}
