//! How far a job is, as its workflow tells and as a client sees it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::result::{JobStatus, ResultHead};

/// The answer to the workflows' `progress` query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkflowProgress {
    pub stage: Stage,
    /// Chunks of the work units that are finished.
    pub chunks_done: u32,
    /// Those known so far, which become more until the recording's length is known.
    pub chunks_total: u32,
    /// Length of the recording in seconds; 0 until it is known.
    pub duration_s: f64,
    /// The plan's folder in the store; empty until the first unit is there.
    #[serde(default)]
    pub folder: String,
    /// Names the checkpoints in that folder; empty until the model and the language are settled.
    #[serde(default, rename = "recipe")]
    pub decode_config_hash: String,
    /// Finished jobs of a batch.
    pub jobs_done: u32,
    pub jobs_total: u32,
    /// How they ended.
    #[serde(default)]
    pub jobs: Option<BatchOutcome>,
}

/// How the jobs of a batch ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchOutcome {
    pub completed: u32,
    pub completed_with_errors: u32,
    pub failed: u32,
    pub cancelled: u32,
    /// Had been finished before this batch came, or run elsewhere.
    pub already_there: u32,
}

impl BatchOutcome {
    pub(crate) fn jobs(&self) -> u32 {
        self.counts().map(|(_, jobs)| jobs).iter().sum()
    }

    fn counts(&self) -> [(&'static str, u32); 5] {
        let Self { completed, completed_with_errors, failed, cancelled, already_there } = *self;
        [
            ("completed", completed),
            ("completed with errors", completed_with_errors),
            ("failed", failed),
            ("cancelled", cancelled),
            ("already there", already_there),
        ]
    }
}

/// `2 completed, 1 cancelled`: the counts that are not 0.
impl fmt::Display for BatchOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts().into_iter().filter(|(_, jobs)| *jobs > 0);
        let counts: Vec<String> = counts.map(|(end, jobs)| format!("{jobs} {end}")).collect();
        f.write_str(&counts.join(", "))
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No worker has taken up the job yet.
    #[default]
    Queued,
    Ingest,
    Prepare,
    Transcribe,
    Assemble,
    Llm,
    Conclude,
    Done,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Queued => "queued",
            Self::Ingest => "ingest",
            Self::Prepare => "prepare",
            Self::Transcribe => "transcribe",
            Self::Assemble => "assemble",
            Self::Llm => "llm",
            Self::Conclude => "conclude",
            Self::Done => "done",
        })
    }
}

/// Which workflow a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    Transcribe,
    /// LLM tasks on a finished transcript.
    Llm,
    Batch,
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Transcribe => "transcribe",
            Self::Llm => "llm",
            Self::Batch => "batch",
        })
    }
}

/// A job as it stands: the workflow's own view and the heartbeats of its running activities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobProgress {
    pub id: String,
    /// Which run of the job this is.
    #[serde(skip)]
    pub run_id: String,
    pub kind: JobKind,
    pub status: JobStatus,
    pub stage: Stage,
    pub chunks_done: u32,
    /// Those known so far, which become more until the recording's length is known.
    pub chunks_total: u32,
    /// Seconds of audio decoded so far; 0 once ingestion is over.
    pub ingested_s: f64,
    /// Length of the recording in seconds; 0 until it is known.
    pub duration_s: f64,
    /// Seconds since submission, until the end for a finished job.
    pub elapsed_s: f64,
    /// Activities that failed and will be tried again.
    pub retries: Vec<Retry>,
    /// The model that the job waits for.
    pub download: Option<ModelDownload>,
    /// Where the running job's checkpoints lie: folder and decode config hash, empty until they are settled.
    #[serde(skip)]
    pub folder: String,
    #[serde(skip)]
    pub decode_config_hash: String,
    pub jobs_done: u32,
    pub jobs_total: u32,
    /// How the finished jobs of a batch ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<BatchOutcome>,
}

impl JobProgress {
    /// A job of which nothing but its standing is known.
    pub fn new(id: &str, kind: JobKind, status: JobStatus) -> Self {
        Self {
            id: id.to_owned(),
            run_id: String::new(),
            kind,
            status,
            stage: if status.is_final() { Stage::Done } else { Stage::Queued },
            chunks_done: 0,
            chunks_total: 0,
            ingested_s: 0.0,
            duration_s: 0.0,
            elapsed_s: 0.0,
            retries: Vec::new(),
            download: None,
            folder: String::new(),
            decode_config_hash: String::new(),
            jobs_done: 0,
            jobs_total: 0,
            jobs: None,
        }
    }

    /// As the result alone tells it: of a job that Temporal has forgotten.
    pub fn of_result(id: &str, result: &ResultHead) -> Self {
        Self {
            run_id: result.run_id.clone(),
            elapsed_s: result.timings.wall_s,
            ..Self::new(id, JobKind::Transcribe, result.status)
        }
    }

    /// Whether the whole recording is segmented, so that no chunks are added to those that there are.
    pub fn is_segmented(&self) -> bool {
        self.duration_s > 0.0 && self.chunks_total > 0
    }
}

/// A model on its way to a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelDownload {
    pub model: String,
    pub bytes_done: u64,
    /// 0 until it is known.
    pub bytes_total: u64,
}

impl ModelDownload {
    /// 0 to 100, where the size is known.
    pub fn percent(&self) -> Option<u64> {
        (self.bytes_done * 100).checked_div(self.bytes_total)
    }
}

impl fmt::Display for ModelDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "downloading model {}", self.model)?;
        self.percent().map_or(Ok(()), |percent| write!(f, ", {percent} %"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retry {
    /// The activity's name.
    pub stage: String,
    /// The attempt that runs or waits now; the first is 1.
    pub attempt: u32,
    /// Why the attempt before it failed.
    pub message: String,
}

/// A line of `longhand list`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobSummary {
    pub id: String,
    pub kind: JobKind,
    pub status: JobStatus,
    /// Seconds since the epoch.
    pub started: Option<f64>,
    /// From submission to the end; `None` while it runs.
    pub wall_s: Option<f64>,
}
