//! What a user asks for: the input of the `transcribe` workflow.
//!
//! It is plain JSON with a default for everything but the source, so that
//! `temporal workflow start --input '{"source":{"path":"talk.mp3"}}'` is a complete request.

use std::{collections::BTreeSet, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{languages::language_code, llm::LlmTask, recording_name};

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
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "recording_name::deserialize")]
    pub name: Option<String>,
}

impl JobRequest {
    /// The same request for a recording that somebody has given a name. One that says nothing changes nothing.
    #[must_use]
    pub fn named(self, name: Option<&str>) -> Self {
        Self { name: name.and_then(recording_name::cleaned).or(self.name), ..self }
    }

    /// Whether the other request is for the same recording and asks the same of it, whatever it is called.
    pub fn asks_the_same_as(&self, other: &Self) -> bool {
        let Self { source, speech, audio, llm, webhook, name: _ } = self;
        (source, speech, audio, llm, webhook)
            == (&other.source, &other.speech, &other.audio, &other.llm, &other.webhook)
    }
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
    /// The request for one recording, which has the name that it has by itself.
    pub fn request(&self, source: Source) -> JobRequest {
        let Self { speech, audio, llm, webhook } = self.clone();
        JobRequest { name: source.recording_name(), source, speech, audio, llm, webhook }
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

impl Source {
    /// The name that the recording has by itself: its file's, or the last part of its address.
    pub fn recording_name(&self) -> Option<String> {
        match self {
            Self::Path(path) | Self::Object(path) => recording_name::of_path(path),
            Self::Url(url) => recording_name::of_address(url),
        }
    }
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
// What changes the sound is part of a plan's key in the store, where it is not the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AudioOptions {
    /// What becomes of several channels.
    #[serde(skip_serializing_if = "is_default")]
    pub channels: Channels,
    /// Which of several audio tracks: its number, from 1 on, or `all`. Default: the one with the speech.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Value))]
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

impl FromStr for Track {
    type Err = &'static str;

    fn from_str(track: &str) -> Result<Self, Self::Err> {
        match track {
            "all" => Ok(Self::All),
            number => number.parse().map(Self::Number).map_err(|_| "give a track's number, from 1 on, or all"),
        }
    }
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
    /// A code such as `en` or `en-US`, or a language's English name; `auto` has it found, wherever it changes. Default:
    /// `auto`.
    #[serde(deserialize_with = "language_or_auto")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub language: String,
    /// The languages that may be spoken, where they are found by `auto`. Default: all.
    #[serde(deserialize_with = "list_or_null", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
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

fn list_or_null<'de, D: Deserializer<'de>>(list: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(list)?.unwrap_or_default())
}

/// Why the languages of a request are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LanguageError {
    #[error("{0:?} is no language that Whisper knows; name a code such as en, or auto")]
    Language(String),
    #[error("{0:?} is no language that Whisper knows; name codes such as en,de")]
    Languages(String),
    #[error("languages bound what `auto` may find, and the language is given as {0}; leave one of the two out")]
    Both(String),
}

impl LanguageError {
    /// The field that is wrong.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Language(_) => "language",
            Self::Languages(_) | Self::Both(_) => "languages",
        }
    }
}

impl SpeechOptions {
    /// With Whisper's codes in place of what people write for languages. Requests that ask for the same have the same
    /// codes: a single language that may be spoken is the language.
    ///
    /// # Errors
    /// A language that nobody knows, or two fields that contradict each other.
    pub fn with_language_codes(mut self) -> Result<Self, LanguageError> {
        let codes = self.languages.iter().map(|written| {
            language_code(written).map(str::to_owned).ok_or_else(|| LanguageError::Languages(written.clone()))
        });
        let codes: BTreeSet<String> = codes.collect::<Result<_, _>>()?;
        self.languages = codes.into_iter().collect();
        self.language = match self.language.trim() {
            written if written.eq_ignore_ascii_case(AUTO) => AUTO.to_owned(),
            written => language_code(written).ok_or_else(|| LanguageError::Language(written.to_owned()))?.to_owned(),
        };
        if self.language != AUTO && !self.languages.is_empty() {
            return Err(LanguageError::Both(self.language));
        }
        if self.languages.len() == 1 {
            self.language = self.languages.remove(0);
        }
        Ok(self)
    }
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
    use super::{AUTO, JobOptions, JobRequest, LanguageError, Source, SpeechOptions};
    use crate::llm::LlmTask;

    #[test]
    fn a_source_alone_is_a_complete_request() {
        let request: JobRequest = serde_json::from_str(r#"{"source":{"path":"talk.mp3"}}"#).unwrap();
        assert!(request.asks_the_same_as(&JobOptions::default().request(Source::Path("talk.mp3".to_owned()))));
    }

    #[test]
    fn a_name_is_cleaned_wherever_it_comes_from() {
        let json = r#"{"source":{"path":"talk.mp3"},"name":" Monday\u0000\n "}"#;
        let request: JobRequest = serde_json::from_str(json).unwrap();
        assert_eq!(request.name.as_deref(), Some("Monday"));
        let request = JobOptions::default().request(request.source);
        assert_eq!(request.name.as_deref(), Some("talk.mp3"));
        assert_eq!(request.named(Some("Mon\u{1b}day")).named(None).name.as_deref(), Some("Monday"));
    }

    #[test]
    fn null_stands_for_the_default() {
        let speech: SpeechOptions = serde_json::from_str(r#"{"model":null,"language":null,"languages":null}"#).unwrap();
        assert_eq!(speech, SpeechOptions::default());
        assert_eq!(speech.language, AUTO);
    }

    #[test]
    fn languages_become_codes() {
        let options = |language: &str, languages: &[&str]| SpeechOptions {
            language: language.to_owned(),
            languages: languages.iter().map(|language| (*language).to_owned()).collect(),
            ..SpeechOptions::default()
        };
        for (language, languages, codes) in [
            ("en-US", vec![], options("en", &[])),
            ("German", vec![], options("de", &[])),
            ("AUTO", vec!["zh-Hant", "EN", "en-GB"], options(AUTO, &["en", "zh"])),
            (AUTO, vec!["English", "en"], options("en", &[])),
        ] {
            assert_eq!(options(language, &languages).with_language_codes(), Ok(codes), "{language} {languages:?}");
        }
        for (language, languages, error) in [
            ("", vec![], LanguageError::Language(String::new())),
            ("klingon", vec!["en", "de"], LanguageError::Language("klingon".to_owned())),
            (AUTO, vec!["en", AUTO], LanguageError::Languages(AUTO.to_owned())),
            ("DE", vec!["en", "de"], LanguageError::Both("de".to_owned())),
        ] {
            assert_eq!(options(language, &languages).with_language_codes(), Err(error), "{language} {languages:?}");
        }
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
