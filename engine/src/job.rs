//! What a user asks for: the input of the `transcribe` workflow.
//!
//! It is plain JSON with a default for everything but the source, so that
//! `temporal workflow start --input '{"source":{"path":"talk.mp3"}}'` is a complete request.

use serde::{Deserialize, Deserializer, Serialize};

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

/// Everything that is asked of a recording: what the jobs of a batch have in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobOptions {
    #[serde(default)]
    pub speech: SpeechOptions,
    #[serde(default)]
    pub llm: Vec<LlmTask>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

impl JobOptions {
    /// The request for one recording.
    pub fn request(&self, source: Source) -> JobRequest {
        let Self { speech, llm, webhook } = self.clone();
        JobRequest { source, speech, llm, webhook }
    }

    /// The first task that has the name of one before it: it would overwrite that one's answer.
    pub fn duplicate_task(&self) -> Option<&'static str> {
        let names: Vec<_> = self.llm.iter().map(LlmTask::name).collect();
        let duplicate = names.iter().enumerate().find(|(position, name)| names[..*position].contains(name));
        duplicate.map(|(_, name)| *name)
    }
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

/// Who is told when the job has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// An http or https address that takes a POST.
    pub url: String,
}

/// How to recognise the speech.
// All of it is part of a chunk's key in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SpeechOptions {
    /// A model's name, such as `tiny` or `large-v3-turbo`. Default: the workers' own.
    // Where the HTTP API does not stand between: also the path of a ggml file or of a folder in CTranslate2's format
    // on the workers.
    pub model: Option<String>,
    /// The transcription worker's own choice where none is made.
    #[serde(skip_serializing_if = "RecogniserChoice::is_auto")]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub recogniser: RecogniserChoice,
    /// Whisper's code, such as `en`, or `auto`. Default: `auto`.
    #[serde(deserialize_with = "language_or_auto")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub language: String,
    /// Text in the spoken language, or in English.
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

/// The language that asks for detection.
pub const AUTO: &str = "auto";

/// In JSON, null means what leaving a field out means.
fn language_or_auto<'de, D: Deserializer<'de>>(language: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(language)?.unwrap_or_else(|| AUTO.to_owned()))
}

/// The language of the text: the one that is spoken, or English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpeechTask {
    #[default]
    Transcribe,
    Translate,
}

/// The program that recognises the speech.
///
/// `Auto` is CTranslate2 where it is built in and takes the model, else whisper.cpp. whisper.cpp takes every model of
/// its hub and any ggml file; CTranslate2 takes faster-whisper's models, and workers have it where they were built with
/// it.
// The variants have no comments of their own: clap would print them in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum RecogniserChoice {
    #[default]
    Auto,
    Whisper,
    Ctranslate2,
}

impl RecogniserChoice {
    /// Whether the choice is left to others.
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

#[cfg(test)]
mod tests {
    use super::{AUTO, JobOptions, JobRequest, Source, SpeechOptions};
    use crate::llm::LlmTask;

    #[test]
    fn a_source_alone_is_a_complete_request() {
        let request: JobRequest = serde_json::from_str(r#"{"source":{"path":"talk.mp3"}}"#).unwrap();
        assert_eq!(request, JobOptions::default().request(Source::Path("talk.mp3".to_owned())));
    }

    #[test]
    fn null_stands_for_the_default() {
        let speech: SpeechOptions = serde_json::from_str(r#"{"model":null,"language":null,"prompt":null}"#).unwrap();
        assert_eq!(speech, SpeechOptions::default());
        assert_eq!(speech.language, AUTO);
    }

    #[test]
    fn tasks_of_one_name_are_found() {
        use LlmTask::{Actions, Chapters, Summary};
        for (llm, duplicate) in
            [(vec![], None), (vec![Summary, Chapters], None), (vec![Summary, Actions, Actions], Some("actions"))]
        {
            assert_eq!(JobOptions { llm, ..JobOptions::default() }.duplicate_task(), duplicate);
        }
    }
}
