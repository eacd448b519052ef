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
use tokio_util::sync::CancellationToken;

use crate::{
    accepted_job::AcceptedJob,
    caller::Caller,
    job_options::{self, BodyFormat},
    model_names::ModelNames,
    turns::Turns,
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
    pub(crate) models: ModelNames,
    pub(crate) turns: Turns,
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
        models: ModelNames,
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
            turns: Turns::new(),
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
            let secrets = WebhookSecrets::read(&self.webhooks).map_err(|error| {
                tracing::error!(%error, "webhooks cannot be signed");
                ApiError::unavailable(
                    "the keys that sign webhooks cannot be read; try again when its operator has mended them",
                )
            })?;
            let signed = secrets.of_tenant(scope.tenant());
            signed.map_err(|missing| ApiError::invalid(missing.to_string()).param(format.webhook_field()))?;
        }
        Ok(options)
    }

    /// Starts the job, or finds the one that has its id. What is started is charged, and nothing else.
    ///
    /// # Errors
    /// 422 where the caller has sent the same idempotency key with another request before, 409 where its id is another
    /// request's, 429 where no job is left of its allowance.
    pub(crate) async fn submit(
        &self,
        job: &OwnJob,
        request: &JobRequest,
        caller: &Caller,
    ) -> Result<AcceptedJob, ApiError> {
        let jobs = self.temporal.jobs()?;
        let _turn = self.turns.of(job).await;
        // What is left of a job that is being deleted is no answer to anybody.
        jobs.refuse_while_purged(job.as_str()).await?;
        caller.check_key(jobs, job, request).await?;
        let held = self.holder(job, JobKind::Transcribe).await?.filter(|holder| holder.holds_id());
        let mut is_lost = false;
        if let Some(holder) = held {
            jobs.refuse_other_request(job.as_str(), request).await?;
            is_lost = holder.has_lost_result(&self.uploads.store, job.as_str()).await?;
            if !is_lost {
                return Ok(self.accepted(job, holder.status, true));
            }
            tracing::warn!(job = job.as_str(), "its result is lost or damaged: it is made again");
        }
        let start = self.start(jobs, job, request, is_lost);
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
    pub(crate) async fn holder(&self, job: &OwnJob, wanted: JobKind) -> Result<Option<Holder>, ApiError> {
        match self.temporal.jobs()?.holder(job.as_str()).await? {
            Some(Holder { kind, .. }) if kind != wanted => {
                let message =
                    format!("{job} is the id of something else, which is of the kind {kind}; take another one");
                Err(ApiError::new(StatusCode::CONFLICT, ErrorKind::InvalidRequestError, message).param("id"))
            }
            holder => Ok(holder),
        }
    }

    /// From now on the job needs its recording, which others may be about to delete.
    /// Where its result is lost it is started although it has finished.
    async fn start(
        &self,
        jobs: &Jobs,
        job: &OwnJob,
        request: &JobRequest,
        is_lost: bool,
    ) -> Result<Submission, ApiError> {
        self.uploads.store.check_room().await?;
        self.uploads.claim(job, &request.source).await?;
        let submitted =
            if is_lost { jobs.submit_again(job.as_str(), request) } else { jobs.submit(job.as_str(), request) };
        Ok(submitted.await?)
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
