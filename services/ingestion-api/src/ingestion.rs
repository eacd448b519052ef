//! What all handlers share: the ways to the store and to Temporal, and how a job is handed over.

use api::{ApiError, ErrorKind, JobQuota, Links, Temporal};
use axum::{
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
};
use engine::{events::JobWatchers, ids::JobId, job::JobRequest, result::JobStatus};
use tokio_util::sync::CancellationToken;

use crate::{jobs::Accepted, upload::Uploads};

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ingestion {
    pub(crate) temporal: Temporal,
    pub(crate) uploads: Uploads,
    pub(crate) watchers: JobWatchers,
    pub(crate) links: Links,
    pub(crate) quota: JobQuota,
    /// Bytes that a body of JSON may have.
    pub(crate) most_json: usize,
    /// Falls when the service is told to stop.
    pub(crate) stop: CancellationToken,
}

impl Ingestion {
    /// Starts the job, or finds the one that has its id.
    ///
    /// # Errors
    /// 422 where that job was asked for something else and `is_of_key`: with a key, the same request was to be sent.
    pub(crate) async fn submit(&self, id: &JobId, request: &JobRequest, is_of_key: bool) -> Result<Accepted, ApiError> {
        let jobs = self.temporal.jobs()?;
        let submission = jobs.submit(id.as_str(), request).await?;
        if submission.existing && is_of_key {
            let run = jobs.latest_run(id.as_str()).await?;
            if jobs.request(id.as_str(), &run).await? != *request {
                return Err(key_is_taken(id));
            }
        }
        let status = if submission.existing { jobs.status(id.as_str()).await? } else { JobStatus::Running };
        Ok(Accepted { links: self.links.job(id.as_str()), id: submission.id, existing: submission.existing, status })
    }

    /// Bounds a body on a route that takes uploads, too.
    pub(crate) fn limited(&self, mut request: Request) -> Request {
        DefaultBodyLimit::max(self.most_json).apply(&mut request);
        request
    }
}

/// The key's first request was another one.
pub(crate) fn key_is_taken(id: &JobId) -> ApiError {
    let message = format!("this Idempotency-Key came with another request, which is {id}; take a new key");
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorKind::InvalidRequestError, message)
        .param("Idempotency-Key")
        .code("idempotency_key_reused")
}
