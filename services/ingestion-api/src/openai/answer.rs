//! A finished job in OpenAI's formats.

use api::ApiError;
use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use engine::{formats::Format, result::JobResult};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// How the text is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// Once, when the job has ended.
    Whole(Whole),
    /// As server-sent events.
    Live,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Whole {
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
pub(super) struct Text {
    text: String,
    pub(super) usage: Usage,
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

impl Usage {
    pub(super) fn of(result: &JobResult) -> Self {
        Self { kind: "duration", seconds: result.duration_s.ceil() as u64 }
    }
}

impl Whole {
    pub(super) fn render(self, result: &JobResult) -> Result<Response, ApiError> {
        let plain = |format: Format, kind: &'static str| {
            let text = format.render(result).map_err(ApiError::internal)?;
            Ok(([(CONTENT_TYPE, kind)], text).into_response())
        };
        match self.format {
            ResponseFormat::Json => {
                let text = Text { text: result.text.trim().to_owned(), usage: Usage::of(result) };
                Ok(axum::Json(text).into_response())
            }
            ResponseFormat::Text => plain(Format::Txt, "text/plain; charset=utf-8"),
            ResponseFormat::Srt => plain(Format::Srt, "text/plain; charset=utf-8"),
            ResponseFormat::Vtt => plain(Format::Vtt, "text/plain; charset=utf-8"),
            ResponseFormat::VerboseJson => Ok(axum::Json(self.verbose(result)?).into_response()),
        }
    }

    fn verbose(self, result: &JobResult) -> Result<Value, ApiError> {
        let text = Format::VerboseJson.render(result).map_err(ApiError::internal)?;
        let mut verbose: Value = serde_json::from_str(&text).map_err(ApiError::internal)?;
        if !self.segments
            && let Some(fields) = verbose.as_object_mut()
        {
            fields.remove("segments");
        }
        verbose["usage"] = json!(Usage::of(result));
        Ok(verbose)
    }
}
