//! OpenAI's transcription API: its clients work with nothing but another base URL.

mod chunking;
mod logprobs;
mod options;
mod response;
mod stream;

use api::ApiError;
use axum::{
    extract::{Request, State},
    response::Response,
};
use engine::job::SpeechTask;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app_state::AppState, caller::Caller, form::Form, transcription};
use options::Options;
use response::{ResponseMode, TextResponse};

/// A recording to transcribe.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is what the documentation says of the form; the form is read field by field")]
struct TranscriptionForm {
    /// The recording.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// As GET /v1/models lists them, or a name of the trade such as `Systran/faster-whisper-base`; `whisper-1` is the
    /// workers' own.
    model: Option<String>,
    /// Whisper's code, such as `en`.
    /// A code such as `en` or `en-US`, or a language's English name.
    language: Option<String>,
    prompt: Option<String>,
    /// `json`, `text`, `srt`, `verbose_json` or `vtt`.
    response_format: Option<String>,
    /// 0 to 1. Taken, and without effect: the recogniser raises it where a text fails its tests.
    temperature: Option<String>,
    /// `word` and `segment`, for `verbose_json`.
    #[schema(rename = "timestamp_granularities[]")]
    granularities: Option<Vec<String>>,
    /// `true` for server-sent events.
    stream: Option<String>,
    /// `logprobs`, for `json` and for streams: how sure the recogniser was of each word.
    #[schema(rename = "include[]")]
    include: Option<Vec<String>>,
    /// `auto`, or JSON with the type `server_vad`. Recordings are always cut where nobody speaks: what tunes that has no
    /// effect.
    chunking_strategy: Option<String>,
}

/// A recording to translate into English.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is what the documentation says of the form; the form is read field by field")]
struct TranslationForm {
    /// The recording.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// As GET /v1/models lists them, or a name of the trade; `whisper-1` is the workers' own.
    model: Option<String>,
    prompt: Option<String>,
    /// `json`, `text`, `srt`, `verbose_json` or `vtt`.
    response_format: Option<String>,
    /// 0 to 1. Taken, and without effect.
    temperature: Option<String>,
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(transcribe)).routes(routes!(translate))
}

/// Transcribe a recording, and wait for its text
#[utoipa::path(
    post, path = "/v1/audio/transcriptions", tag = "OpenAI",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key means the same job, which goes on when the client hangs up", min_length = 1, max_length = 255),
        ("X-Longhand-Keep" = Option<bool>, Header, description = "Whether the job goes on when the client hangs up; without it and without a key it is cancelled"),
    ),
    request_body(content = TranscriptionForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The text, in the format that was asked for. X-Longhand-Job has the job's id, X-Longhand-Ignored-Fields what of the form had no effect", content(
        (TextResponse = "application/json"), (String = "text/plain"), (String = "text/event-stream"),
    ))),
)]
async fn transcribe(State(state): State<AppState>, caller: Caller, request: Request) -> Result<Response, ApiError> {
    respond(state, caller, request, SpeechTask::Transcribe).await
}

/// Translate a recording into English, and wait for its text
#[utoipa::path(
    post, path = "/v1/audio/translations", tag = "OpenAI",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key means the same job, which goes on when the client hangs up", min_length = 1, max_length = 255),
        ("X-Longhand-Keep" = Option<bool>, Header, description = "Whether the job goes on when the client hangs up; without it and without a key it is cancelled"),
    ),
    request_body(content = TranslationForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The text, in the format that was asked for. X-Longhand-Job has the job's id, X-Longhand-Ignored-Fields what of the form had no effect", content(
        (TextResponse = "application/json"), (String = "text/plain"),
    ))),
)]
async fn translate(State(state): State<AppState>, caller: Caller, request: Request) -> Result<Response, ApiError> {
    respond(state, caller, request, SpeechTask::Translate).await
}

/// What both endpoints do: only the fields of their forms differ.
async fn respond(state: AppState, caller: Caller, request: Request, task: SpeechTask) -> Result<Response, ApiError> {
    let mut form = Form::read(request, &state.uploads, options::fields(task)).await?;
    let file = form.file()?;
    let Options { speech, mode, ignored } = Options::from_form(&mut form, task, &state.models)?;
    let awaited = transcription::start(&state, caller, file, form.file_name.as_deref(), speech).await?;
    match mode {
        ResponseMode::Whole(whole) => Ok(transcription::respond(state, awaited, whole.document(), &ignored).await),
        ResponseMode::Stream { with_logprobs } => {
            let job = awaited.job().clone();
            let events = stream::events(state, awaited, with_logprobs).await?;
            Ok(transcription::with_headers(&job, &ignored, events))
        }
    }
}
