//! A job's recording, for players.

use api::{ApiError, OwnJob};
use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE},
    },
    response::{IntoResponse, Redirect, Response},
};
use engine::{
    job::Source,
    store::{ObjectDescription, keys},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app_state::AppState,
    byte_range::{RequestedRange, requested_range},
    etag,
};

/// Bytes that tell the kind of a file.
const SIGNATURE_LENGTH: u64 = 12;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(audio))
}

/// The recording as it was handed in, or in part; a redirect where it came from the web.
#[utoipa::path(get, path = "/v1/jobs/{id}/audio", tag = "Results",
    params(
        ("id" = String, Path, description = "The job"),
        ("Range" = Option<String>, Header, description = "One range of bytes", example = "bytes=0-1023"),
        ("If-Range" = Option<String>, Header, description = "The ETag that the range goes with: another recording is sent whole"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what is there already"),
    ),
    responses(
        (status = 200, description = "All of it", body = String, content_type = "application/octet-stream"),
        (status = 206, description = "The range", body = String, content_type = "application/octet-stream"),
        (status = 304, description = "It is the one whose ETag came in If-None-Match"),
        (status = 307, description = "It is on the web"),
        (status = 416, description = "The range begins after the end", body = api::ErrorBody),
    ),
)]
async fn audio(State(state): State<AppState>, job: OwnJob, headers: HeaderMap) -> Result<Response, ApiError> {
    match state.recordings.source(state.temporal.jobs()?, &job).await? {
        Source::Object(key) => object(&state, &key, &headers).await,
        Source::Url(url) => Ok(Redirect::temporary(&url).into_response()),
        Source::Path(_) => {
            let message = format!("the recording of {job} is a file of the workers, which is not handed out");
            Err(ApiError::not_found(message).code("local_file"))
        }
    }
}

async fn object(state: &AppState, key: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let ObjectDescription { size, version } = state.store.describe(key).await?;
    // An upload is called after its content, whichever store it lies in.
    let tag = keys::upload_hash(key).map_or_else(|| etag::of_content(version), etag::of_hash);
    if etag::matches(&tag, headers) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let range = headers.get(RANGE).filter(|_| etag::range_applies(&tag, headers)).and_then(|range| range.to_str().ok());
    let (code, range) = match requested_range(range, size) {
        RequestedRange::Whole => (StatusCode::OK, 0..size),
        RequestedRange::Partial(range) => (StatusCode::PARTIAL_CONTENT, range),
        RequestedRange::Unsatisfiable => {
            let message = format!("the recording has {size} bytes, and the range begins after them");
            let refused =
                ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, api::ErrorKind::InvalidRequestError, message);
            return Ok(([(CONTENT_RANGE, format!("bytes */{size}"))], refused).into_response());
        }
    };
    let signature = state.store.read_range(key, 0, SIGNATURE_LENGTH.min(size)).await?;
    let mut response = Response::builder()
        .status(code)
        .header(CONTENT_TYPE, content_type(&signature))
        .header(CONTENT_LENGTH, range.end - range.start)
        .header(ETAG, tag)
        .header(ACCEPT_RANGES, "bytes");
    if code == StatusCode::PARTIAL_CONTENT {
        response = response.header(CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start, range.end - 1));
    }
    let body = Body::from_stream(state.store.stream_range(key, range).await?);
    response.body(body).map_err(ApiError::internal)
}

/// By the file's first bytes, for that is all that is known of it.
fn content_type(signature: &[u8]) -> &'static str {
    match signature {
        [b'R', b'I', b'F', b'F', ..] => "audio/wav",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "audio/webm",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "audio/mp4",
        [b'I', b'D', b'3', ..] | [0xFF, 0xE0..=0xFF, ..] => "audio/mpeg",
        _ => "application/octet-stream",
    }
}
