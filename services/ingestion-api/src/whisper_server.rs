//! The request of whisper.cpp's server, `POST /inference`, for programs that were written for it.

use api::ApiError;
use axum::{
    extract::{Request, State},
    response::Response,
};
use engine::{
    formats::{Format, VerboseJson},
    job::{AUTO, SpeechOptions, SpeechTask},
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app_state::AppState,
    caller::Caller,
    form::{Fields, Form, OtherFields},
    job_options::{BodyFormat, checked_speech},
    transcription::{self, Document},
};

const FIELDS: Fields = Fields {
    file: "file",
    file_head: &[],
    single: &["language", "prompt", "translate", "response_format"],
    lists: &[],
    others: OtherFields::Ignored,
};

/// A recording to transcribe.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is what the documentation says of the form; the form is read field by field")]
struct InferenceForm {
    /// The recording.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// Whisper's code, such as `en`, or `auto`.
    language: Option<String>,
    prompt: Option<String>,
    /// `true` for English text.
    translate: Option<String>,
    /// `json`, `text`, `srt`, `verbose_json` or `vtt`.
    response_format: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ResponseFormat {
    Json,
    Text,
    Srt,
    VerboseJson,
    Vtt,
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(infer))
}

/// Transcribe a recording as whisper.cpp's server does
///
/// Its other fields have no effect, and X-Longhand-Ignored-Fields names those that came.
#[utoipa::path(
    post, path = "/inference", tag = "Other servers",
    request_body(content = InferenceForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The text, in the format that was asked for", content(
        (Object = "application/json"), (String = "text/plain"),
    ))),
)]
async fn infer(State(state): State<AppState>, caller: Caller, request: Request) -> Result<Response, ApiError> {
    let mut form = Form::read(request, &state.uploads, FIELDS).await?;
    let file = form.file()?;
    let ignored = form.take_ignored();
    let speech = SpeechOptions {
        language: form.take("language").unwrap_or_else(|| AUTO.to_owned()),
        task: if form.flag("translate")? { SpeechTask::Translate } else { SpeechTask::Transcribe },
        prompt: form.take("prompt"),
        ..SpeechOptions::default()
    };
    let speech = checked_speech(speech, BodyFormat::Form, &state.models)?;
    let document = match form.choice("response_format")?.unwrap_or(ResponseFormat::Json) {
        ResponseFormat::Json => Document::json(|result| serde_json::to_string(&json!({ "text": result.text }))),
        ResponseFormat::VerboseJson => Document::json(|result| serde_json::to_string(&VerboseJson::of(result))),
        ResponseFormat::Text => Document::plain(Format::Txt),
        ResponseFormat::Srt => Document::plain(Format::Srt),
        ResponseFormat::Vtt => Document::plain(Format::Vtt),
    };
    let awaited = transcription::start(&state, caller, file, form.file_name.as_deref(), speech).await?;
    Ok(transcription::respond(state, awaited, document, &ignored).await)
}
