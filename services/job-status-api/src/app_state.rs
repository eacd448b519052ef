//! What all handlers share: the ways to Temporal, to the store and to what is known of jobs.

use std::{sync::Arc, time::Duration};

use api::{ApiError, ErrorKind, JobQuota, Links, OwnJob, Service, Temporal};
use axum::http::StatusCode;
use engine::{
    events::{JobWatchers, Subscription},
    partial::PartialJob,
    result::{JobResult, JobStatus},
    run::OfRun,
    store::{KnownHead, Store, StoreError},
    temporal::{client::ClientError, progress::JobKind},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::recordings::Recordings;

/// How long what the store has waits for Temporal to say whether it is being deleted.
const PATIENCE: Duration = Duration::from_secs(1);

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) temporal: Temporal,
    pub(crate) store: Store,
    pub(crate) watchers: JobWatchers,
    pub(crate) recordings: Recordings,
    pub(crate) links: Links,
    pub(crate) quota: JobQuota,
    /// For those that join the checkpoints of a job.
    joining: Arc<Semaphore>,
    /// Cancelled when the service is told to stop.
    pub(crate) stop: CancellationToken,
}

/// Jobs whose checkpoints are joined at the same time.
const JOINED_AT_ONCE: usize = 2;

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
            joining: Arc::new(Semaphore::new(JOINED_AT_ONCE)),
            stop: service.stop.clone(),
        }
    }

    /// The job as it is now, and what comes.
    ///
    /// # Errors
    /// 404 for a job that nobody knows, 409 for one that is being deleted.
    pub(crate) async fn follow(&self, job: &OwnJob) -> Result<Subscription, ApiError> {
        self.refuse_deleted(job).await?;
        Ok(self.watchers.watch(self.temporal.jobs()?, job.as_str()).await?)
    }

    /// What is left of a job that is being deleted is shown to nobody. While Temporal is away nobody is deleting it, and
    /// what the store has is shown.
    ///
    /// # Errors
    /// 409.
    pub(crate) async fn refuse_deleted(&self, job: &OwnJob) -> Result<(), ApiError> {
        let Ok(jobs) = self.temporal.jobs() else { return Ok(()) };
        match tokio::time::timeout(PATIENCE, jobs.refuse_deleted(job.as_str())).await {
            Ok(Err(refused @ ClientError::BeingPurged { .. })) => Err(refused.into()),
            _ => Ok(()),
        }
    }

    /// The job's run that goes on or was the last; as its result says where Temporal has forgotten the job.
    ///
    /// # Errors
    /// 404 for a job that nobody knows.
    pub(crate) async fn latest_run(&self, job: &OwnJob) -> Result<String, ApiError> {
        self.refuse_deleted(job).await?;
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

    /// The text of a job as far as there is one: of one that goes on, or that ended before its time, what its checkpoints
    /// hold.
    ///
    /// # Errors
    /// 404 for a job that nobody knows, 409 for one that has no text by its kind, and those of the store.
    pub(crate) async fn text_so_far(&self, job: &OwnJob) -> Result<Text, ApiError> {
        let progress = Arc::clone(&self.follow(job).await?.borrow().progress);
        if progress.kind != JobKind::Transcribe {
            return Err(no_transcript(job, progress.status));
        }
        // That of a run before this one says nothing of it.
        let known = self.watchers.results().find(job.as_str()).await?;
        let partial = match known.filter(|known| known.head.is_of(&progress.run_id)) {
            Some(known) if known.head.has_transcript() => return Ok(Text::Stored(known)),
            Some(known) => PartialJob::from(&*known.head),
            None => PartialJob::from(&*progress),
        };
        if let Some(transcript) = self.store.find_transcript(job.as_str(), &progress.run_id).await? {
            return Ok(Text::SoFar(Box::new(JobResult::so_far(job.to_string(), transcript))));
        }
        // A transcript in memory is some ten times its text: of a day's not many are joined at once.
        let _turn = self.joining.acquire().await.map_err(ApiError::internal)?;
        let text = partial.text(&self.store, &job.to_string()).await?;
        Ok(Text::SoFar(Box::new(text)))
    }

    /// The result of a job that has text, which Temporal may have forgotten meanwhile. That of one that was cancelled is
    /// what it had until then.
    ///
    /// # Errors
    /// 404 for a job that nobody knows, 409 for one that has not ended, gave no transcript or is being deleted.
    pub(crate) async fn result(&self, job: &OwnJob) -> Result<KnownHead, ApiError> {
        self.refuse_deleted(job).await?;
        let damaged = match self.watchers.results().find(job.as_str()).await {
            Ok(Some(known)) if known.head.has_transcript() => return Ok(known),
            Ok(_) => None,
            Err(damaged @ StoreError::Corrupt { .. }) => Some(damaged),
            Err(error) => return Err(error.into()),
        };
        // A job that failed, or whose result is damaged, may have been started again.
        let status = self.follow(job).await?.borrow().progress.status;
        match damaged {
            Some(damaged) if status.is_final() => Err(damaged.into()),
            _ => Err(no_transcript(job, status)),
        }
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
fn no_transcript(job: &OwnJob, status: JobStatus) -> ApiError {
    let advice = if status.is_final() { "" } else { "; follow its events until it has ended" };
    let message = format!("there is no transcript: the job {job} is {status}{advice}");
    ApiError::new(StatusCode::CONFLICT, ErrorKind::InvalidRequestError, message).code("no_transcript")
}
