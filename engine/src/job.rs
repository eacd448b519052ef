//! What a user asks for: the input of the `transcribe` workflow.
//!
//! It is plain JSON with a default for everything but the source, so that
//! `temporal workflow start --input '{"source":{"path":"talk.mp3"}}'` is a complete request.

use serde::{Deserialize, Serialize};

use crate::llm::LlmTask;

/// One recording to transcribe and what to do with the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    pub source: Source,
    #[serde(default)]
    pub speech: SpeechOptions,
    /// LLM tasks to run on the finished transcript, in parallel.
    #[serde(default)]
    pub llm: Vec<LlmTask>,
    /// Who is told when the job has ended, whatever its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

/// Where the audio is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A file that the ingestion worker can read.
    Path(String),
    /// An http or https address.
    Url(String),
    /// A key in the object store, as the command line and the ingestion API leave uploads.
    Object(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Url(url) => f.write_str(url),
            Self::Object(key) => write!(f, "object {key}"),
        }
    }
}

/// Where a job's end is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// An http or https address that takes a POST.
    pub url: String,
}

/// How to recognise the speech. All of it is part of a chunk's key in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechOptions {
    /// A model's name (`tiny` ... `large-v3-turbo`), or the path of a ggml file or of a folder in CTranslate2's format
    /// on the workers. The transcription worker's own default where none is named.
    pub model: Option<String>,
    /// The transcription worker's own choice where none is made.
    #[serde(skip_serializing_if = "RecogniserChoice::is_auto")]
    pub recogniser: RecogniserChoice,
    /// `auto`, or a language's code as Whisper has it, such as `en`.
    pub language: String,
    pub task: SpeechTask,
    /// Text that leads the recogniser: names, spelling, style.
    pub prompt: Option<String>,
    /// Also give the time of every word.
    pub words: bool,
}

impl Default for SpeechOptions {
    fn default() -> Self {
        Self {
            model: None,
            recogniser: RecogniserChoice::Auto,
            language: AUTO.to_owned(),
            task: SpeechTask::Transcribe,
            prompt: None,
            words: false,
        }
    }
}

/// The program that recognises the speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecogniserChoice {
    /// CTranslate2 where it is built in and takes the model, else whisper.cpp.
    #[default]
    Auto,
    /// whisper.cpp, which takes every model of its hub and any ggml file.
    Whisper,
    /// CTranslate2, which takes faster-whisper's models. Workers have it where they were built with it.
    Ctranslate2,
}

impl RecogniserChoice {
    /// Whether the choice is left to others.
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

/// The language that asks for detection.
pub const AUTO: &str = "auto";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeechTask {
    /// Text in the language that is spoken.
    Transcribe,
    /// Text in English.
    Translate,
}
