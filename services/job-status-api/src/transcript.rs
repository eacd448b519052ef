//! A job's transcript in every format.

use api::{ApiError, OwnJob, Path};
use axum::{
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, ETAG},
    },
    response::{IntoResponse, Response},
};
use engine::formats::Format;
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app_state::AppState, etag};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(transcript))
}

/// What of the job is asked for.
#[derive(Deserialize)]
struct OfJob {
    document: String,
}

/// A job's transcript: `transcript.json`, `transcript.verbose_json` (OpenAI's shape), `transcript.srt`,
/// `transcript.vtt` or `transcript.txt`.
#[utoipa::path(get, path = "/v1/jobs/{id}/{document}", tag = "Results",
    params(
        ("id" = String, Path, description = "The job"),
        ("document" = String, Path, description = "`transcript.` and a format", example = "transcript.srt"),
    ),
    responses(
        (status = 200, description = "The document", content(
            (Object = "application/json"), (String = "text/plain"), (String = "text/vtt"), (String = "application/x-subrip"),
        )),
        (status = 304, description = "It is the one whose ETag came in If-None-Match"),
        (status = 409, description = "The job has not ended, or gave no transcript", body = api::ErrorBody),
    ),
)]
async fn transcript(
    State(state): State<AppState>,
    job: OwnJob,
    Path(OfJob { document }): Path<OfJob>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found(format!("a job has no {document}; /docs shows what it has"));
    let format = document.strip_prefix("transcript.").and_then(|name| name.parse::<Format>().ok());
    let format = format.ok_or_else(unknown)?;
    let text = format.render(&state.result(&job).await?).map_err(ApiError::internal)?;
    // A later LLM answer makes another document of the JSON.
    let tag = etag::of_content(&text);
    if etag::matches(&tag, &headers) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    Ok(([(CONTENT_TYPE, content_type(format).to_owned()), (ETAG, tag)], text).into_response())
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Txt => "text/plain; charset=utf-8",
        Format::Json | Format::VerboseJson => "application/json",
        Format::Srt => "application/x-subrip; charset=utf-8",
        Format::Vtt => "text/vtt; charset=utf-8",
    }
}
