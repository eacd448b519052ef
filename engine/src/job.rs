//! What a user asks for: the input of the `transcribe` workflow.
//!
//! It is plain JSON with a default for everything but the source, so that
//! `temporal workflow start --input '{"source":{"path":"talk.mp3"}}'` is a complete request.

use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize};

use crate::llm::LlmTask;

/// One recording to transcribe and what to do with the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    pub source: Source,
    #[serde(default)]
    pub speech: SpeechOptions,
    #[serde(default, skip_serializing_if = "AudioOptions::is_default")]
    pub audio: AudioOptions,
    /// LLM tasks to run on the finished transcript, in parallel.
    #[serde(default)]
    pub llm: Vec<LlmTask>,
    /// Who is told when the job has ended, whatever its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// What people call the recording: its file's name, unless it was given another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Everything that is asked of a recording: what the jobs of a batch have in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobOptions {
    #[serde(default)]
    pub speech: SpeechOptions,
    #[serde(default, skip_serializing_if = "AudioOptions::is_default")]
    pub audio: AudioOptions,
    #[serde(default)]
    pub llm: Vec<LlmTask>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

impl JobOptions {
    /// The request for one recording.
    pub fn request(&self, source: Source) -> JobRequest {
        let Self { speech, audio, llm, webhook } = self.clone();
        JobRequest { source, speech, audio, llm, webhook, name: None }
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

/// What of the recording is listened to, and how much of it has to be whole.
// All of it is part of a plan's key in the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AudioOptions {
    /// What becomes of several channels.
    #[serde(skip_serializing_if = "is_default")]
    pub channels: Channels,
    /// Which of several audio tracks: its number, from 1 on, or `all`. Default: the one with the speech.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub track: Option<Track>,
    /// Refuse a recording that ends early or is damaged, instead of transcribing what there is with a warning.
    #[serde(skip_serializing_if = "is_default")]
    pub strict: bool,
}

impl AudioOptions {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One audio track of a container, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    All,
    #[serde(untagged)]
    Number(NonZeroU32),
}

/// What becomes of several channels: one recording of them all, or one for each. `Auto` measures which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    #[default]
    Auto,
    Mix,
    Split,
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
    /// Whisper's codes of the languages that may be spoken, where the language is detected. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Text in the spoken language, or in English.
    pub task: SpeechTask,
    /// Text that leads the recogniser: names, spelling, style.
    pub prompt: Option<String>,
    /// Names and terms to listen for, the most important ones first. The model takes some fifty words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hotwords: Vec<String>,
    /// Also give the time of every word.
    pub words: bool,
}

impl SpeechOptions {
    /// Names and terms as people write them into a form or a file: one to a line, or separated by commas.
    pub fn listed_hotwords(text: &str) -> Vec<String> {
        text.split([',', '\n']).map(str::trim).filter(|term| !term.is_empty()).map(str::to_owned).collect()
    }
}

impl Default for SpeechOptions {
    fn default() -> Self {
        Self {
            model: None,
            recogniser: RecogniserChoice::Auto,
            language: AUTO.to_owned(),
            languages: Vec::new(),
            task: SpeechTask::Transcribe,
            prompt: None,
            hotwords: Vec::new(),
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
    fn hotwords_are_listed_by_commas_and_lines() {
        for (text, expected) in [
            ("", vec![]),
            ("Brzezinski", vec!["Brzezinski"]),
            (
                " Ada Lovelace, Menabrea,\r\nAnalytical Engine\n\n",
                vec!["Ada Lovelace", "Menabrea", "Analytical Engine"],
            ),
        ] {
            assert_eq!(SpeechOptions::listed_hotwords(text), expected, "{text:?}");
        }
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
