//! A job as the API shows it.

use std::sync::Arc;

use api::{JobLinks, JobName, Links, OwnJob, Scope};
use engine::{
    events::Snapshot,
    result::{JobStatus, Provenance},
    temporal::progress::{BatchOutcome, JobKind, JobSummary, ModelDownload, Retry, Stage},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The state of a job.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct JobView {
    #[schema(value_type = String)]
    id: JobName,
    /// `transcribe`, `llm` or `batch`.
    #[schema(value_type = String)]
    kind: JobKind,
    /// `running`, `completed`, `completed_with_errors`, `failed` or `cancelled`.
    #[schema(value_type = String)]
    status: JobStatus,
    /// `queued`, `ingest`, `prepare`, `transcribe`, `assemble`, `llm`, `conclude` or `done`.
    #[schema(value_type = String)]
    stage: Stage,
    /// 0 to 100.
    percent: f64,
    chunks_done: u32,
    chunks_total: u32,
    /// Seconds of audio decoded so far; 0 once ingestion is over.
    ingested_s: f64,
    /// Length of the recording in seconds; 0 until it is known.
    duration_s: f64,
    /// Seconds since submission, until the end for a job that has ended.
    elapsed_s: f64,
    /// Seconds of audio recognised in a second, while that is going on.
    #[schema(required)]
    speed: Option<f64>,
    /// Until all text is recognised, while that is going on.
    #[schema(required)]
    time_left_s: Option<f64>,
    /// Stages that failed and are tried again.
    #[schema(value_type = Vec<Object>)]
    retries: Vec<Retry>,
    /// The model that the job waits for, while that comes to a worker.
    #[schema(required)]
    download: Option<ModelDownload>,
    jobs_done: u32,
    jobs_total: u32,
    /// How the finished jobs of a batch ended, also after its end.
    #[schema(required)]
    jobs: Option<BatchOutcome>,
    /// Why it failed, or which of its parts did.
    #[schema(required)]
    error: Option<String>,
    /// What the result was made of, once there is one.
    #[schema(required, value_type = Option<Object>)]
    provenance: Option<Arc<Provenance>>,
    links: JobLinks,
}

impl JobView {
    pub(crate) fn new(job: &OwnJob, snapshot: &Snapshot, links: &Links) -> Self {
        let progress = snapshot.progress.as_ref().clone();
        let ended = snapshot.ended.clone();
        let told = |message: &String| job.scope().told(message);
        let retries = progress.retries.into_iter();
        Self {
            percent: snapshot.percent(),
            links: links.job(&job.name()),
            id: job.name(),
            kind: progress.kind,
            status: progress.status,
            stage: progress.stage,
            chunks_done: progress.chunks_done,
            chunks_total: progress.chunks_total,
            ingested_s: progress.ingested_s,
            duration_s: progress.duration_s,
            elapsed_s: progress.elapsed_s,
            speed: snapshot.speed.map(|speed| speed.times_real_time),
            time_left_s: snapshot.speed.map(|speed| speed.seconds_left),
            retries: retries.map(|retry| Retry { message: told(&retry.message), ..retry }).collect(),
            download: progress.download,
            jobs_done: progress.jobs_done,
            jobs_total: progress.jobs_total,
            jobs: progress.jobs,
            error: ended.as_ref().and_then(|ended| ended.error.as_ref().map(told)),
            provenance: ended.and_then(|ended| ended.provenance),
        }
    }
}

/// A job in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ListedJob {
    #[schema(value_type = String)]
    id: JobName,
    #[schema(value_type = String)]
    kind: JobKind,
    #[schema(value_type = String)]
    status: JobStatus,
    /// Seconds since the epoch.
    #[schema(required)]
    started: Option<f64>,
    /// From submission to the end.
    #[schema(required)]
    wall_s: Option<f64>,
}

impl ListedJob {
    pub(crate) fn new(scope: &Scope, summary: JobSummary) -> Self {
        let JobSummary { id, kind, status, started, wall_s } = summary;
        Self { id: scope.name(&id), kind, status, started, wall_s }
    }
}
