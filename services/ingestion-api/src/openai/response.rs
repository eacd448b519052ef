//! A finished job in OpenAI's formats.

use engine::{
    formats::{Format, VerboseJson},
    result::JobResult,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::logprobs::{self, LogProb};
use crate::transcription::Document;

/// How the text is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum ResponseMode {
    /// Once, when the job has ended.
    Whole(WholeResponse),
    /// As server-sent events.
    Stream { with_logprobs: bool },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct WholeResponse {
    pub(super) format: ResponseFormat,
    /// Whether `verbose_json` has segments.
    pub(super) segments: bool,
    /// Whether `json` tells how sure the recogniser was.
    pub(super) logprobs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResponseFormat {
    Json,
    Text,
    Srt,
    VerboseJson,
    Vtt,
}

/// A text. `verbose_json` has more beside it: language, duration, segments and words.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TextResponse<'a> {
    text: &'a str,
    /// Where `include[]` asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Vec<LogProb>>,
    usage: Usage,
}

/// What is paid for where somebody pays: seconds of audio.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Usage {
    /// Always `duration`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Length of the recording, rounded up.
    seconds: u64,
}

#[derive(Serialize)]
struct VerboseResponse<'a> {
    #[serde(flatten)]
    transcript: VerboseJson<'a>,
    usage: Usage,
}

impl Usage {
    pub(super) fn of(result: &JobResult) -> Self {
        Self { kind: "duration", seconds: result.duration_s.ceil() as u64 }
    }
}

impl WholeResponse {
    pub(super) fn document(self) -> Document {
        match self.format {
            ResponseFormat::Json => Document::json(move |result| serde_json::to_string(&self.text(result))),
            ResponseFormat::VerboseJson => Document::json(move |result| serde_json::to_string(&self.verbose(result))),
            ResponseFormat::Text => Document::plain(Format::Txt),
            ResponseFormat::Srt => Document::plain(Format::Srt),
            ResponseFormat::Vtt => Document::plain(Format::Vtt),
        }
    }

    fn text(self, result: &JobResult) -> TextResponse<'_> {
        let logprobs = self.logprobs.then(|| logprobs::of_text(&result.segments));
        TextResponse { text: result.text.trim(), logprobs, usage: Usage::of(result) }
    }

    fn verbose(self, result: &JobResult) -> VerboseResponse<'_> {
        let transcript = VerboseJson::of(result);
        let transcript = if self.segments { transcript } else { transcript.without_segments() };
        VerboseResponse { transcript, usage: Usage::of(result) }
    }
}
