//! What all handlers share: the ways to the store and to Temporal, and how a job is submitted.

use api::{ApiError, ErrorKind, JobQuota, Links, OwnJob, Scope, Service, Temporal};
use axum::{
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
};
use engine::{
    config::{IngestSettings, WebhookSettings},
    events::JobWatchers,
    job::{JobOptions, JobRequest},
    result::JobStatus,
    temporal::{
        client::{Holder, Jobs, Submission},
        progress::JobKind,
    },
    webhook::WebhookSecrets,
};
use models::AllowedModels;
use tokio_util::sync::CancellationToken;

use crate::{
    accepted_job::AcceptedJob,
    caller::Caller,
    job_options::{self, BodyFormat},
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
    webhooks: WebhookSettings,
    pub(crate) models: AllowedModels,
    /// Bytes that a body of JSON may have.
    max_json_bytes: usize,
    /// Cancelled when the service is told to stop.
    pub(crate) stop: CancellationToken,
}

impl AppState {
    pub(crate) fn new(
        service: &Service,
        ingest: &IngestSettings,
        webhooks: WebhookSettings,
        models: AllowedModels,
    ) -> Self {
        let store = &service.dependencies.store;
        let max_bytes = ingest.max_source_mb.saturating_mul(1_000_000);
        Self {
            temporal: service.dependencies.temporal.clone(),
            uploads: Uploads { store: store.clone(), max_bytes, unfinished: service.unfinished.clone() },
            watchers: JobWatchers::new(store.clone(), service.notifications.clone()),
            links: service.links(),
            quota: service.quota(),
            webhooks,
            models,
            max_json_bytes: service.settings.max_body_kb.saturating_mul(1024),
            stop: service.stop.clone(),
        }
    }

    /// The options of a job, as far as they can be checked before it runs.
    ///
    /// # Errors
    /// 400 with the field that is wrong, 404 for a model that there is not.
    pub(crate) fn checked(
        &self,
        scope: &Scope,
        options: JobOptions,
        format: BodyFormat,
    ) -> Result<JobOptions, ApiError> {
        let options = job_options::checked(options, format, &self.models)?;
        if options.webhook.is_some() {
            let secrets = WebhookSecrets::read(&self.webhooks).map_err(ApiError::internal)?;
            let signed = secrets.of_tenant(scope.tenant());
            signed.map_err(|missing| ApiError::invalid(missing.to_string()).param(format.webhook_field()))?;
        }
        Ok(options)
    }

    /// Starts the job, or finds the one that has its id. What is started is charged, and nothing else.
    ///
    /// # Errors
    /// 422 where the caller has sent the same idempotency key with another request before, 429 where no job is left of
    /// its allowance.
    pub(crate) async fn submit(
        &self,
        job: &OwnJob,
        request: &JobRequest,
        caller: &Caller,
    ) -> Result<AcceptedJob, ApiError> {
        let jobs = self.temporal.jobs()?;
        caller.check_key(jobs, job, request).await?;
        let is_held = |status: JobStatus| !status.is_final() || status.has_transcript();
        let held = self.holder(job, JobKind::Transcribe).await?.filter(|status| is_held(*status));
        if let Some(status) = held {
            return Ok(self.accepted(job, status, true));
        }
        let start = self.start(jobs, job, request);
        let submission = self.quota.charge(&caller.client, 1, start, |submission| !submission.existing).await?;
        if !submission.existing {
            return Ok(self.accepted(job, JobStatus::Running, false));
        }
        // Another request was faster.
        caller.check_key(jobs, job, request).await?;
        Ok(self.accepted(job, jobs.status(job.as_str()).await?, true))
    }

    /// How the job or the batch stands that has the id, if one has.
    ///
    /// # Errors
    /// 409 where a batch has the id and a job wants it, or the other way round.
    pub(crate) async fn holder(&self, job: &OwnJob, wanted: JobKind) -> Result<Option<JobStatus>, ApiError> {
        match self.temporal.jobs()?.holder(job.as_str()).await? {
            Some(Holder { kind, .. }) if kind != wanted => {
                let message =
                    format!("{job} is the id of something else, which is of the kind {kind}; take another one");
                Err(ApiError::new(StatusCode::CONFLICT, ErrorKind::InvalidRequestError, message).param("id"))
            }
            holder => Ok(holder.map(|holder| holder.status)),
        }
    }

    /// From now on the job needs its recording, which others may be about to delete.
    async fn start(&self, jobs: &Jobs, job: &OwnJob, request: &JobRequest) -> Result<Submission, ApiError> {
        jobs.refuse_while_purged(job.as_str()).await?;
        self.uploads.claim(job, &request.source).await?;
        Ok(jobs.submit(job.as_str(), request).await?)
    }

    fn accepted(&self, job: &OwnJob, status: JobStatus, existing: bool) -> AcceptedJob {
        let name = job.name();
        AcceptedJob { links: self.links.job(&name), id: name, status, existing }
    }

    /// Bounds a JSON body on a route that takes uploads, too.
    pub(crate) fn limit_json(&self, mut request: Request) -> Request {
        DefaultBodyLimit::max(self.max_json_bytes).apply(&mut request);
        request
    }
}
