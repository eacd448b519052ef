//! A finished job in OpenAI's formats.

use api::ApiError;
use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use engine::{
    formats::{Format, VerboseJson},
    result::JobResult,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the text is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum ResponseMode {
    /// Once, when the job has ended.
    Whole(WholeResponse),
    /// As server-sent events.
    Stream,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct WholeResponse {
    pub(super) format: ResponseFormat,
    /// Whether `verbose_json` has segments.
    pub(super) segments: bool,
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
    pub(super) fn render(self, result: &JobResult) -> Result<Response, ApiError> {
        let usage = Usage::of(result);
        match self.format {
            ResponseFormat::Json => Ok(axum::Json(TextResponse { text: result.text.trim(), usage }).into_response()),
            ResponseFormat::VerboseJson => {
                let mut transcript = VerboseJson::of(result);
                if !self.segments {
                    transcript = transcript.without_segments();
                }
                Ok(axum::Json(VerboseResponse { transcript, usage }).into_response())
            }
            ResponseFormat::Text => plain(Format::Txt, result),
            ResponseFormat::Srt => plain(Format::Srt, result),
            ResponseFormat::Vtt => plain(Format::Vtt, result),
        }
    }
}

fn plain(format: Format, result: &JobResult) -> Result<Response, ApiError> {
    let text = format.render(result).map_err(ApiError::internal)?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
