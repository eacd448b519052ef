//! What all handlers share: the ways to Temporal, to the store and to what is known of jobs.

use api::{ApiError, Links, Temporal};
use engine::{
    events::{Followers, Snapshot},
    ids::JobId,
    result::JobResult,
    store::{Store, keys},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Status {
    pub(crate) temporal: Temporal,
    pub(crate) store: Store,
    pub(crate) followers: Followers,
    pub(crate) links: Links,
    /// Falls when the service is told to stop.
    pub(crate) stop: CancellationToken,
}

impl Status {
    /// The job as it is now, and what comes.
    pub(crate) async fn follow(&self, id: &JobId) -> Result<watch::Receiver<Snapshot>, ApiError> {
        Ok(self.followers.follow(self.temporal.jobs()?, id.as_str()).await?)
    }

    /// What came of a job, which Temporal may have forgotten meanwhile.
    ///
    /// # Errors
    /// 404 for a job that nobody knows, 409 for one that has not ended or gave no transcript.
    pub(crate) async fn result(&self, id: &JobId) -> Result<JobResult, ApiError> {
        if let Some(result) = self.store.find_json::<JobResult>(&keys::result(id.as_str())).await? {
            return match result.status.has_transcript() {
                true => Ok(result),
                false => Err(without_transcript(id, &format!("is {}", result.status))),
            };
        }
        let snapshot = self.follow(id).await?.borrow().clone();
        Err(without_transcript(id, &format!("is {}; follow its events until it has ended", snapshot.progress.status)))
    }
}

fn without_transcript(id: &JobId, state: &str) -> ApiError {
    let message = format!("there is no transcript: the job {id} {state}");
    ApiError::new(axum::http::StatusCode::CONFLICT, api::ErrorKind::InvalidRequestError, message).code("no_transcript")
}
