//! OpenAI's transcription API: its clients work with nothing but another base URL.
//!
//! A request is a job as any other. The answer waits for the job's end; a client that goes away leaves the job.

mod answer;
mod live;
mod options;
mod outcome;

use api::{ApiError, Client};
use axum::{
    Extension,
    extract::{Request, State},
    http::HeaderName,
    response::{IntoResponse, Response},
};
use engine::{
    ids::JobId,
    job::{JobRequest, Source, SpeechOptions},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{asked::job_id, form::Form, idempotency::JobOfKey, ingestion::Ingestion};
use answer::{Answer, Text};
use options::Options;

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

pub(crate) fn routes() -> OpenApiRouter<Ingestion> {
    OpenApiRouter::new().routes(routes!(transcribe)).routes(routes!(translate))
}

/// Transcribe a recording, and wait for its text
#[utoipa::path(
    post, path = "/v1/audio/transcriptions", tag = "OpenAI",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key means the same job", min_length = 1, max_length = 255)),
    request_body(content = TranscriptionForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The text, in the format that was asked for", content(
        (Text = "application/json"), (String = "text/plain"), (String = "text/event-stream"),
    ))),
)]
async fn transcribe(
    State(ingestion): State<Ingestion>,
    Extension(client): Extension<Client>,
    JobOfKey(of_key): JobOfKey,
    request: Request,
) -> Result<Response, ApiError> {
    ingestion.quota.take(&client, 1).await?;
    let mut form = Form::read(request, &ingestion.uploads, &options::TRANSCRIPTION_FIELDS).await?;
    let source = form.source()?;
    let options = Options::of_transcription(&mut form)?;
    respond(ingestion, of_key, source, options).await
}

/// Translate a recording into English, and wait for its text
#[utoipa::path(
    post, path = "/v1/audio/translations", tag = "OpenAI",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key means the same job", min_length = 1, max_length = 255)),
    request_body(content = TranslationForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The text, in the format that was asked for", content(
        (Text = "application/json"), (String = "text/plain"),
    ))),
)]
async fn translate(
    State(ingestion): State<Ingestion>,
    Extension(client): Extension<Client>,
    JobOfKey(of_key): JobOfKey,
    request: Request,
) -> Result<Response, ApiError> {
    ingestion.quota.take(&client, 1).await?;
    let mut form = Form::read(request, &ingestion.uploads, &options::TRANSLATION_FIELDS).await?;
    let source = form.source()?;
    let options = Options::of_translation(&mut form)?;
    respond(ingestion, of_key, source, options).await
}

async fn respond(
    ingestion: Ingestion,
    of_key: Option<JobId>,
    source: Source,
    options: Options,
) -> Result<Response, ApiError> {
    let Options { speech, answer } = options;
    let is_of_key = of_key.is_some();
    let id = job_id(None, of_key)?;
    ingestion.submit(&id, &request(source, speech), is_of_key).await?;
    let job = [(JOB, id.to_string())];
    match answer {
        Answer::Whole(format) => {
            let result = outcome::wait(&ingestion, &id).await?;
            Ok((job, format.render(&result)?).into_response())
        }
        Answer::Live => Ok((job, live::events(ingestion, id).await?).into_response()),
    }
}

fn request(source: Source, speech: SpeechOptions) -> JobRequest {
    JobRequest { source, speech, llm: Vec::new(), webhook: None }
}
