//! OpenAI's transcription API: its clients work with nothing but another base URL.
//!
//! A request is a job as any other. The answer waits for the job's end; a client that goes away leaves the job.

mod options;
mod outcome;
mod response;
mod stream;

use api::ApiError;
use axum::{
    extract::{Request, State},
    http::HeaderName,
    response::{IntoResponse, Response},
};
use engine::job::{JobOptions, SpeechTask};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app_state::AppState, caller::Caller, form::Form};
use options::Options;
use response::{ResponseMode, TextResponse};

/// Tells which job a transcription is.
const JOB: HeaderName = HeaderName::from_static("x-longhand-job");

/// A recording to transcribe.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is what the documentation says of the form; the form is read field by field")]
struct TranscriptionForm {
    /// The recording.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// As GET /v1/models lists them; `whisper-1` is the workers' own.
    model: Option<String>,
    /// Whisper's code, such as `en`.
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
}

/// A recording to translate into English.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is what the documentation says of the form; the form is read field by field")]
struct TranslationForm {
    /// The recording.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// As GET /v1/models lists them; `whisper-1` is the workers' own.
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
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key means the same job", min_length = 1, max_length = 255)),
    request_body(content = TranscriptionForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The text, in the format that was asked for", content(
        (TextResponse = "application/json"), (String = "text/plain"), (String = "text/event-stream"),
    ))),
)]
async fn transcribe(State(state): State<AppState>, caller: Caller, request: Request) -> Result<Response, ApiError> {
    respond(state, caller, request, SpeechTask::Transcribe).await
}

/// Translate a recording into English, and wait for its text
#[utoipa::path(
    post, path = "/v1/audio/translations", tag = "OpenAI",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key means the same job", min_length = 1, max_length = 255)),
    request_body(content = TranslationForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The text, in the format that was asked for", content(
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
    let Options { speech, mode } = Options::from_form(&mut form, task, &state.models)?;
    let job = caller.job(None)?;
    let source = file.keep().await?;
    let options = JobOptions { speech, ..JobOptions::default() };
    state.submit(&job, &options.request(source), &caller).await?;
    let header = [(JOB, job.to_string())];
    match mode {
        ResponseMode::Whole(whole) => {
            let result = outcome::wait(&state, &job).await?;
            Ok((header, whole.render(&result)?).into_response())
        }
        ResponseMode::Stream => Ok((header, stream::events(state, job).await?).into_response()),
    }
}
