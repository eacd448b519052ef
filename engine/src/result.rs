//! The result of a job, as it lies in the store and as `--json` prints it.
//!
//! The shape is versioned: fields are added freely, and [`VERSION`] grows when one changes its
//! meaning or goes.

mod head;
mod pieces;

use std::collections::BTreeMap;

pub use head::ResultHead;
pub use pieces::{LastPiece, ResultPieces, read_pieces};

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use crate::{
    job::SpeechOptions,
    llm::LlmUsage,
    transcript::{Segment, Transcript, Word},
};

/// The version of [`JobResult`]'s shape.
pub const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JobResult {
    pub version: u32,
    pub job_id: String,
    /// Which run of the job made it.
    #[serde(default)]
    pub run_id: String,
    pub status: JobStatus,
    /// What failed, by stage. Empty for `completed`.
    #[serde(default)]
    pub errors: Vec<StageFailure>,
    pub text: String,
    /// Code of the spoken language, such as `en`; empty when nothing was said.
    pub language: String,
    /// Length of the recording in seconds.
    pub duration_s: f64,
    pub segments: Vec<Segment>,
    /// Each LLM task's output under its name: `summary` a string, `chapters` a list of
    /// `{title, start, end}`, `actions` a list of strings, `ask` a string or what its schema says.
    pub llm: BTreeMap<String, serde_json::Value>,
    pub timings: Timings,
    pub provenance: Provenance,
}

impl JobResult {
    /// What is known of a job whose transcript is there while the rest of it goes on.
    pub fn so_far(job_id: String, transcript: Transcript) -> Self {
        let Transcript { text, language, duration_s, run_id, segments } = transcript;
        Self {
            version: VERSION,
            job_id,
            run_id,
            status: JobStatus::Running,
            errors: Vec::new(),
            text,
            language,
            duration_s,
            segments,
            llm: BTreeMap::new(),
            timings: Timings::default(),
            provenance: Provenance::default(),
        }
    }

    /// Its transcript, as the run had it.
    pub fn into_transcript(self) -> Transcript {
        let Self { text, language, duration_s, run_id, segments, .. } = self;
        Transcript { text, language, duration_s, run_id, segments }
    }

    /// Whether there is text: of a job that was cancelled, what was recognised before; of one that goes on, all of it, for
    /// before such a one has no result.
    pub fn has_transcript(&self) -> bool {
        self.status == JobStatus::Running || self.provenance.has_transcript(self.status)
    }

    /// Every word with its time; none unless word times were asked for.
    pub fn words(&self) -> impl Iterator<Item = &Word> {
        self.segments.iter().flat_map(|segment| &segment.words)
    }
}

/// What is short comes first, so that whoever wants no text need not read it. `words` are the words of all segments, which
/// are written for readers of the JSON and never kept beside the segments in memory.
impl Serialize for JobResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { version, job_id, run_id, status, errors, text, .. } = self;
        let Self { language, duration_s, segments, llm, timings, provenance, .. } = self;
        let mut fields = serializer.serialize_struct("JobResult", 13)?;
        fields.serialize_field("version", version)?;
        fields.serialize_field("job_id", job_id)?;
        fields.serialize_field("run_id", run_id)?;
        fields.serialize_field("status", status)?;
        if errors.is_empty() {
            fields.skip_field("errors")?;
        } else {
            fields.serialize_field("errors", errors)?;
        }
        fields.serialize_field("language", language)?;
        fields.serialize_field("duration_s", duration_s)?;
        fields.serialize_field("llm", llm)?;
        fields.serialize_field("timings", timings)?;
        fields.serialize_field("provenance", provenance)?;
        fields.serialize_field("text", text)?;
        fields.serialize_field("segments", segments)?;
        fields.serialize_field("words", &Words(self))?;
        fields.end()
    }
}

struct Words<'a>(&'a JobResult);

impl Serialize for Words<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.words())
    }
}

/// How a job stands or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    Running,
    Completed,
    /// The transcript is there, but an LLM task failed.
    CompletedWithErrors,
    Failed,
    Cancelled,
}

impl JobStatus {
    pub fn is_final(self) -> bool {
        self != Self::Running
    }

    /// Whether the whole transcript came of the job.
    pub fn has_transcript(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithErrors)
    }
}

impl std::fmt::Display for JobStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed_with_errors",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageFailure {
    /// Where it failed: `ingest`, `transcribe`, `assemble`, `webhook`, or `llm:` and the task's name.
    pub stage: String,
    /// What happened, to what, and what to do next.
    pub message: String,
}

/// Where the time went, in seconds of wall time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// From submission to the workflow's first step.
    pub queue_s: f64,
    /// Until the whole recording is segmented. Its beginning is being recognised meanwhile.
    pub ingest_s: f64,
    /// From then until the last work unit is recognised.
    pub transcribe_s: f64,
    pub llm_s: f64,
    /// From submission to the result.
    pub wall_s: f64,
    /// Sum over the chunks that this run computed: the recogniser's own time. Several are at work at once.
    pub recogniser_s: f64,
}

/// What the result was made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    pub audio_sha256: String,
    /// The model's name or path.
    pub model: String,
    /// SHA-256 of the weights that were used.
    pub model_sha256: String,
    /// Program and version that recognised the speech.
    pub recogniser: String,
    pub parameters: Option<SpeechOptions>,
    /// Where in the store the chunks' checkpoints lie; empty for a job that failed before.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub checkpoints: String,
    pub chunks_total: u32,
    /// Computed by this run of the job.
    pub chunks_computed: u32,
    /// Found finished: by an earlier run, or by another job on the same audio.
    pub chunks_reused: u32,
    /// Computed although they were finished already; 0 unless two workers raced.
    pub chunks_recomputed: u32,
    /// How often a chunk was decoded again because its text failed the tests.
    pub fallbacks: u32,
    /// What each LLM task took.
    pub llm: BTreeMap<String, LlmUsage>,
}

impl Provenance {
    fn has_transcript(&self, status: JobStatus) -> bool {
        let is_in_part = status == JobStatus::Cancelled && self.chunks_computed + self.chunks_reused > 0;
        status.has_transcript() || is_in_part
    }
}
