//! What workflows ask of activities: names, queues, inputs and outputs.
//!
//! The implementations live in the workers and name their contract, so that a difference between
//! the two does not compile.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use temporalio_common::ActivityDefinition;

use super::progress::ModelDownload;
use crate::{
    batch_list::BatchEntry,
    job::{Source, SpeechOptions, Webhook},
    llm::{LlmTask, LlmUsage},
    result::{JobStatus, StageFailure, Timings},
};

/// The task queue of all workflows.
pub const WORKFLOW_QUEUE: &str = "longhand";
/// Ingestion of recordings that are at hand.
pub const INGEST_QUEUE: &str = "longhand-ingest";
/// Ingestion of recordings that have to be fetched first, which takes as long as somebody else's server likes.
pub const FETCH_QUEUE: &str = "longhand-fetch";
/// Messages to users' servers, which answer when they like.
pub const DELIVER_QUEUE: &str = "longhand-deliver";
/// Short steps that wait for nobody else. What ends a job stands here for jobs that were begun before it was run where
/// their workflows are.
pub const STEPS_QUEUE: &str = "longhand-steps";
/// Speech recognition.
pub const TRANSCRIBE_QUEUE: &str = "longhand-transcribe";
/// Speech recognition for which somebody may be waiting: a job's first words, and what has to be settled before. A
/// short job is nothing but that, so it never waits for the units of a long one.
pub const TRANSCRIBE_FIRST_QUEUE: &str = "longhand-transcribe-first";
/// Language models.
pub const LLM_QUEUE: &str = "longhand-llm";
/// Erasing what nobody wants any more. It waits for no recording that is being ingested.
pub const HOUSEKEEPING_QUEUE: &str = "longhand-housekeeping";

/// An activity as both sides see it: the SDK's definition, and how it is handed out.
pub trait Contract: ActivityDefinition {
    const NAME: &'static str;
    /// How often it is tried. A killed worker costs an attempt; input that can never work and
    /// settings that need a person are not tried again at all.
    const ATTEMPTS: u32 = 12;
    /// The pauses between attempts grow from a second to this.
    const LONGEST_PAUSE: Duration = Duration::from_secs(20);
    /// The activity's reference, which the SDK wants as a value.
    const REFERENCE: Self;

    /// The task queue that serves it.
    fn queue(input: &Self::Input) -> &'static str;

    /// Whether it goes before what waits in its queue: it is short, and somebody waits for what it gives.
    fn goes_first(_input: &Self::Input) -> bool {
        false
    }
}

macro_rules! contract {
    ($(#[$doc:meta])* $name:ident = $activity:literal on $queue:expr; $input:ty => $output:ty
     $(, $attempts:literal attempts $(up to $pause:literal s apart)?)?
     $(, first if $goes_first:expr)?) => {
        $(#[$doc])*
        pub struct $name;

        impl ActivityDefinition for $name {
            type Input = $input;
            type Output = $output;

            fn name(&self) -> &str {
                Self::NAME
            }
        }

        impl Contract for $name {
            const NAME: &'static str = $activity;
            $(
                const ATTEMPTS: u32 = $attempts;
                $(const LONGEST_PAUSE: Duration = Duration::from_secs($pause);)?
            )?
            const REFERENCE: Self = Self;

            fn queue(input: &Self::Input) -> &'static str {
                let queue: fn(&Self::Input) -> &'static str = $queue;
                queue(input)
            }

            $(fn goes_first(input: &Self::Input) -> bool {
                let goes_first: fn(&Self::Input) -> bool = $goes_first;
                goes_first(input)
            })?
        }
    };
}

mod housekeeping;

pub use housekeeping::{
    EraseInput, EraseJob, ErasedJob, Retain, RetainInput, Retained, StopInput, StopJob, Stopped, Sweep, SweepInput,
    SweepReport,
};

contract!(
    /// Fetches and decodes the source, finds speech, segments it into chunks, writes units and plan.
    Ingest = "ingest"
        on |input| if matches!(input.source, Source::Url(_)) { FETCH_QUEUE } else { INGEST_QUEUE };
        IngestInput => Ingested
);
contract!(
    /// Resolves the model, checks the options, and detects the language where that is asked. The attempts reach over 25
    /// minutes: the hub of models may be away for a while.
    Prepare = "prepare" on |_| TRANSCRIBE_FIRST_QUEUE; PrepareInput => Prepared, 60 attempts up to 30 s apart,
        first if |_| true
);
contract!(
    /// Recognises one work unit, writing each chunk's checkpoint before the next chunk begins.
    TranscribeUnit = "transcribe_unit"
        on |input| if input.unit == 0 { TRANSCRIBE_FIRST_QUEUE } else { TRANSCRIBE_QUEUE };
        UnitInput => UnitDone
);
contract!(
    /// Joins the checkpoints to one transcript.
    Assemble = "assemble" on |_| STEPS_QUEUE; AssembleInput => Assembled
);
contract!(
    /// Runs one LLM task on a finished transcript. How long one that fails is tried is a setting of its worker, which
    /// says when to try again; the attempts bound how many workers one may take down.
    RunLlmTask = "run_llm_task" on |_| LLM_QUEUE; LlmInput => LlmUsage, 60 attempts
);
contract!(
    /// Writes the job's result.
    Conclude = "conclude" on |_| STEPS_QUEUE; Conclusion => ()
);
contract!(
    /// Takes an LLM task that was run again into the job's result.
    Amend = "amend" on |_| STEPS_QUEUE; Amendment => JobStatus
);
contract!(
    /// Tells a user's server that a job has ended. The attempts reach over 20 hours.
    Deliver = "deliver" on |_| DELIVER_QUEUE; DeliverInput => (), 50 attempts up to 1800 s apart
);
contract!(
    /// Notes in the delivery log that a delivery could not be begun.
    NoteUndelivered = "note_undelivered" on |_| INGEST_QUEUE; Undelivered => ()
);
contract!(
    /// Reads the next requests of a batch, as many as fit a payload.
    ReadBatch = "read_batch" on |_| STEPS_QUEUE; BatchPage => Vec<BatchEntry>
);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IngestInput {
    pub source: Source,
}

/// Where the plan lies and how much there is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ingested {
    /// The plan's folder in the store.
    pub folder: String,
    pub audio_sha256: String,
    pub duration_s: f64,
    pub units: u32,
    pub chunks: u32,
}

/// What ingestion has put into the store while it is still at work: the payload of the signal `cut`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentationProgress {
    /// The plan's folder in the store.
    pub folder: String,
    pub units: u32,
    pub chunks: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrepareInput {
    pub folder: String,
    pub speech: SpeechOptions,
}

/// Everything that decides what a chunk's text will be, the audio apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The options with the model named and the language pinned.
    pub speech: SpeechOptions,
    pub model_sha256: String,
    /// Program and version.
    pub recogniser: String,
    /// Names the checkpoints of this model and these parameters.
    #[serde(rename = "recipe")]
    pub decode_config_hash: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitInput {
    pub folder: String,
    pub unit: u32,
    pub prepared: Prepared,
    /// The run that the checkpoints are written for where it is not the activity's own: the job's first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UnitDone {
    pub chunks: u32,
}

/// What a `prepare` activity tells with every heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareProgress {
    /// What it waits for.
    #[serde(default)]
    pub download: Option<ModelDownload>,
}

/// What a transcription activity tells with every heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitProgress {
    /// Chunks of the unit that are in the store.
    pub chunks_done: u32,
    /// What it waits for.
    #[serde(default)]
    pub download: Option<ModelDownload>,
}

/// What an ingest activity tells with every heartbeat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct IngestProgress {
    /// Seconds of audio decoded so far.
    pub ingested_s: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssembleInput {
    pub job_id: String,
    pub folder: String,
    #[serde(rename = "recipe")]
    pub decode_config_hash: String,
    pub language: String,
    pub duration_s: f64,
    pub chunks: u32,
    /// As in [`UnitInput`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// What the checkpoints say of how the transcript came to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Assembled {
    pub chunks_computed: u32,
    pub chunks_reused: u32,
    pub chunks_recomputed: u32,
    pub fallbacks: u32,
    /// Recogniser's time over the chunks that this run computed.
    pub recogniser_s: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LlmInput {
    pub job_id: String,
    /// The run whose transcript is asked about; empty: the one of the job's result.
    #[serde(default)]
    pub run_id: String,
    pub task: LlmTask,
}

/// How far a job got, for the result that is written whatever the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    pub job_id: String,
    #[serde(default)]
    pub run_id: String,
    pub status: JobStatus,
    pub errors: Vec<StageFailure>,
    pub timings: Timings,
    /// Where what is ingested lies, also of a recording whose ingestion did not end; empty before the first unit.
    #[serde(default)]
    pub folder: String,
    pub ingested: Option<Ingested>,
    pub prepared: Option<Prepared>,
    pub assembled: Option<Assembled>,
    /// By task name, for the tasks that succeeded.
    pub llm: BTreeMap<String, LlmUsage>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Amendment {
    pub job_id: String,
    pub task: String,
    pub usage: LlmUsage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverInput {
    pub job_id: String,
    pub status: JobStatus,
    /// The same for every attempt.
    pub message_id: String,
    pub webhook: Webhook,
}

/// A message that is not on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    pub job_id: String,
    pub run_id: String,
    pub status: JobStatus,
    pub webhook: Webhook,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPage {
    /// The list of requests in the store.
    pub requests_key: String,
    pub offset: u32,
}
