//! What all handlers share: the ways to Temporal, to the store and to what is known of jobs.

use api::{ApiError, ErrorKind, JobQuota, Links, Service, Temporal};
use axum::http::StatusCode;
use engine::{
    events::{JobWatchers, Subscription},
    ids::JobId,
    result::JobStatus,
    store::{KnownHead, Store},
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
    pub(crate) async fn follow(&self, id: &JobId) -> Result<Subscription, ApiError> {
        Ok(self.watchers.watch(self.temporal.jobs()?, id.as_str()).await?)
    }

    /// The result of a job that has text, which Temporal may have forgotten meanwhile. That of one that was cancelled is
    /// what it had until then.
    ///
    /// # Errors
    /// 404 for a job that nobody knows, 409 for one that has not ended or gave no transcript.
    pub(crate) async fn result(&self, id: &JobId) -> Result<KnownHead, ApiError> {
        let known = self.watchers.results().find(id.as_str()).await?;
        if let Some(known) = known.filter(|known| known.head.has_transcript()) {
            return Ok(known);
        }
        // A job that failed may have been started again.
        let status = self.follow(id).await?.borrow().progress.status;
        Err(no_transcript(id, status))
    }
}

/// The job has no text, or not all of it.
pub(crate) fn no_transcript(id: &JobId, status: JobStatus) -> ApiError {
    let advice = if status.is_final() { "" } else { "; follow its events until it has ended" };
    let message = format!("there is no transcript: the job {id} is {status}{advice}");
    ApiError::new(StatusCode::CONFLICT, ErrorKind::InvalidRequestError, message).code("no_transcript")
}
