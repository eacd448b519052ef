//! What all handlers share: the ways to the store and to Temporal, and how a job is submitted.

use api::{ApiError, JobQuota, Links, Service, Temporal};
use axum::extract::{DefaultBodyLimit, Request};
use engine::{config::IngestSettings, events::JobWatchers, ids::JobId, job::JobRequest, result::JobStatus};
use tokio_util::sync::CancellationToken;

use crate::{
    accepted_job::AcceptedJob,
    caller::{Caller, key_is_taken},
    upload::Uploads,
};

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) temporal: Temporal,
    pub(crate) uploads: Uploads,
    pub(crate) watchers: JobWatchers,
    pub(crate) links: Links,
    pub(crate) quota: JobQuota,
    /// Bytes that a body of JSON may have.
    max_json_bytes: usize,
    /// Cancelled when the service is told to stop.
    pub(crate) stop: CancellationToken,
}

impl AppState {
    pub(crate) fn new(service: &Service, ingest: &IngestSettings) -> Self {
        let store = &service.dependencies.store;
        Self {
            temporal: service.dependencies.temporal.clone(),
            uploads: Uploads { store: store.clone(), max_bytes: ingest.max_source_mb.saturating_mul(1_000_000) },
            watchers: JobWatchers::new(store.clone(), service.notifications.clone()),
            links: service.links(),
            quota: service.quota(),
            max_json_bytes: service.settings.max_body_kb.saturating_mul(1024),
            stop: service.stop.clone(),
        }
    }

    /// Starts the job, or finds the one that has its id.
    ///
    /// # Errors
    /// 422 where the caller has sent the same idempotency key with another request before.
    pub(crate) async fn submit(
        &self,
        id: &JobId,
        request: &JobRequest,
        caller: &Caller,
    ) -> Result<AcceptedJob, ApiError> {
        let jobs = self.temporal.jobs()?;
        jobs.refuse_while_purged(id.as_str()).await?;
        self.uploads.keep(id, &request.source).await?;
        let submission = jobs.submit(id.as_str(), request).await?;
        if submission.existing && caller.has_key() {
            let run = jobs.latest_run(id.as_str()).await?;
            if jobs.request(id.as_str(), &run).await? != *request {
                return Err(key_is_taken(id));
            }
        }
        let status = if submission.existing { jobs.status(id.as_str()).await? } else { JobStatus::Running };
        Ok(AcceptedJob { links: self.links.job(id.as_str()), id: submission.id, existing: submission.existing, status })
    }

    /// Bounds a JSON body on a route that takes uploads, too.
    pub(crate) fn limit_json(&self, mut request: Request) -> Request {
        DefaultBodyLimit::max(self.max_json_bytes).apply(&mut request);
        request
    }
}
