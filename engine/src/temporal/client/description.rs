//! Temporal's descriptions of workflows, read as the state of jobs.

use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use temporalio_client::{WorkflowExecutionDescription, WorkflowExecutionStatus};
use temporalio_common::{
    Memo,
    data_converters::{PayloadConverter, SerializationContextData, WorkflowSerializationContext},
    protos::temporal::api::{
        history::v1::{HistoryEvent, history_event::Attributes},
        workflow::v1::{PendingActivityInfo, WorkflowExecutionInfo},
    },
};

use crate::{
    job::JobRequest,
    result::JobStatus,
    temporal::{
        contracts::{Contract, Ingest, IngestProgress, Prepare, PrepareProgress, TranscribeUnit, UnitProgress},
        progress::{JobKind, JobProgress, JobSummary, Retry, WorkflowProgress},
        workflows::{BatchNumbers, JobInput, NUMBERS_MEMO, STARTED_MEMO, STATUS_MEMO},
    },
};

pub(super) fn status(described: &WorkflowExecutionDescription) -> JobStatus {
    job_status(described.status(), &described.memo())
}

/// What the server alone knows: the state, and the heartbeats of running activities.
pub(super) fn progress(id: &str, described: &WorkflowExecutionDescription) -> JobProgress {
    let kind = kind(described.workflow_type()).unwrap_or(JobKind::Transcribe);
    let end = described.close_time().unwrap_or_else(SystemTime::now);
    let mut progress = JobProgress::new(id, kind, status(described));
    progress.run_id = run_id(described);
    progress.elapsed_s = seconds_between(submitted(described.start_time(), &described.memo()), end);
    if let Ok(Some(BatchNumbers { outcome, total })) = described.memo().get::<BatchNumbers>(NUMBERS_MEMO) {
        (progress.jobs_done, progress.jobs_total, progress.jobs) = (outcome.jobs(), total, Some(outcome));
    }
    for activity in &described.raw().pending_activities {
        add_activity(&mut progress, activity);
    }
    progress
}

/// The run that was submitted, however many the workflow has had since to keep its history short.
pub(super) fn run_id(described: &WorkflowExecutionDescription) -> String {
    let info = described.raw().workflow_execution_info.as_ref();
    let first = info.map(|info| info.first_run_id.as_str()).filter(|first| !first.is_empty());
    first.unwrap_or(described.run_id()).to_owned()
}

/// When the job was submitted.
fn submitted(start: Option<SystemTime>, memo: &Memo) -> Option<SystemTime> {
    let first = memo.get::<f64>(STARTED_MEMO).ok().flatten();
    let first = first.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    first.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)).or(start)
}

fn add_activity(progress: &mut JobProgress, activity: &PendingActivityInfo) {
    let name = activity.activity_type.as_ref().map(|kind| kind.name.as_str()).unwrap_or_default();
    if name == TranscribeUnit::NAME {
        let UnitProgress { chunks_done, download } = heartbeat(activity).unwrap_or_default();
        progress.chunks_done += chunks_done;
        progress.download = progress.download.take().or(download);
    }
    if name == Prepare::NAME {
        progress.download = heartbeat::<PrepareProgress>(activity).unwrap_or_default().download;
    }
    if name == Ingest::NAME {
        progress.ingested_s += heartbeat::<IngestProgress>(activity).unwrap_or_default().ingested_s;
    }
    if activity.attempt > 1 {
        progress.retries.push(Retry {
            stage: name.to_owned(),
            attempt: u32::try_from(activity.attempt).unwrap_or_default(),
            message: activity.last_failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default(),
        });
    }
}

fn heartbeat<T: DeserializeOwned>(activity: &PendingActivityInfo) -> Option<T> {
    let details = activity.heartbeat_details.as_ref()?.payloads.first()?;
    serde_json::from_slice(&details.data).ok()
}

/// Adds what the workflow told to what the server knew.
pub(super) fn add_workflow_progress(progress: &mut JobProgress, reported: WorkflowProgress) {
    progress.stage = reported.stage;
    progress.chunks_done = (progress.chunks_done + reported.chunks_done).min(reported.chunks_total);
    progress.chunks_total = reported.chunks_total;
    progress.duration_s = reported.duration_s;
    progress.folder = reported.folder;
    progress.decode_config_hash = reported.decode_config_hash;
    progress.jobs_done = reported.jobs_done;
    progress.jobs_total = reported.jobs_total;
    progress.jobs = reported.jobs;
}

/// A job in a list; `None` for a workflow that is none.
pub(super) fn summary(execution: WorkflowExecutionInfo, converter: &PayloadConverter) -> Option<JobSummary> {
    let status = WorkflowExecutionStatus::from(execution.status());
    let context = SerializationContextData::Workflow(WorkflowSerializationContext::new());
    let memo = Memo::from_raw(execution.memo, converter.clone(), context);
    let started = submitted(time(execution.start_time), &memo);
    Some(JobSummary {
        id: execution.execution?.workflow_id,
        kind: kind(&execution.r#type?.name)?,
        status: job_status(status, &memo),
        started: started.map(|start| seconds_between(Some(SystemTime::UNIX_EPOCH), start)),
        wall_s: time(execution.close_time).map(|end| seconds_between(started, end)),
    })
}

fn time<T>(timestamp: Option<T>) -> Option<SystemTime>
where
    SystemTime: TryFrom<T>,
{
    timestamp.and_then(|timestamp| SystemTime::try_from(timestamp).ok())
}

/// The request in a workflow's first event.
pub(super) fn request(first: Option<&HistoryEvent>) -> Option<JobRequest> {
    let Attributes::WorkflowExecutionStartedEventAttributes(started) = first?.attributes.as_ref()? else { return None };
    let input = serde_json::from_slice(&started.input.as_ref()?.payloads.first()?.data).ok()?;
    JobInput::parse(input).ok().map(|input| input.request)
}

fn kind(workflow_type: &str) -> Option<JobKind> {
    match workflow_type {
        "transcribe" => Some(JobKind::Transcribe),
        "llm" => Some(JobKind::Llm),
        "batch" => Some(JobKind::Batch),
        _ => None,
    }
}

fn job_status(status: WorkflowExecutionStatus, memo: &Memo) -> JobStatus {
    match status {
        WorkflowExecutionStatus::Completed => {
            memo.get::<JobStatus>(STATUS_MEMO).ok().flatten().unwrap_or(JobStatus::Completed)
        }
        WorkflowExecutionStatus::Canceled => JobStatus::Cancelled,
        WorkflowExecutionStatus::Failed | WorkflowExecutionStatus::Terminated | WorkflowExecutionStatus::TimedOut => {
            JobStatus::Failed
        }
        _ => JobStatus::Running,
    }
}

fn seconds_between(start: Option<SystemTime>, end: SystemTime) -> f64 {
    start.and_then(|start| end.duration_since(start).ok()).unwrap_or_default().as_secs_f64()
}
