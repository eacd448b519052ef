//! A job's transcript in every format, written while it is read: that of a day is larger than what the service may take.

use std::{
    io::{self, BufWriter, Write},
    time::Duration,
};

use api::{ApiError, OwnJob, Path};
use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, ETAG},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use engine::{
    formats::Format,
    store::{KnownHead, keys},
};
use futures_util::stream;
use serde::Deserialize;
use tokio::{runtime::Handle, sync::mpsc};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app_state::{AppState, Text},
    etag,
};

/// Tells how the job stands whose text it is: that of a cancelled one ends where the job did.
const STATUS: HeaderName = HeaderName::from_static("x-longhand-status");

/// Bytes that are sent at a time.
const PIECE: usize = 64 * 1024;

/// Pieces that may wait for the client.
const PIECES_IN_FLIGHT: usize = 4;

/// A client that takes nothing for so long has gone away.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(transcript))
}

/// What of the job is asked for.
#[derive(Deserialize)]
struct OfJob {
    document: String,
}

/// A job's transcript: `transcript.json`, `transcript.verbose_json` (OpenAI's shape), `transcript.srt`,
/// `transcript.vtt` or `transcript.txt`. It is there while language models are still at work on it; of a job that was
/// cancelled, it is what was recognised before.
#[utoipa::path(get, path = "/v1/jobs/{id}/{document}", tag = "Results",
    params(
        ("id" = String, Path, description = "The job"),
        ("document" = String, Path, description = "`transcript.` and a format", example = "transcript.srt"),
    ),
    responses(
        (status = 200, description = "The document. X-Longhand-Status says how the job stands", content(
            (Object = "application/json"), (String = "text/plain"), (String = "text/vtt"), (String = "application/x-subrip"),
        )),
        (status = 304, description = "It is the one whose ETag came in If-None-Match"),
        (status = 409, description = "The text is not complete yet, or the job gave none", body = api::ErrorBody),
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
    let (document, status) = match state.text(&job).await? {
        Text::Stored(known) => {
            // A later LLM answer makes another version, and a later program may write it otherwise.
            let tag = etag::of_content(format!("{} {format} {}", known.version, env!("CARGO_PKG_VERSION")));
            if etag::matches(&tag, &headers) {
                return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
            }
            let status = known.head.status;
            (([(ETAG, tag)], body(&state, &job, format, known).await?).into_response(), status)
        }
        Text::SoFar(result) => (format.render(&result).map_err(ApiError::internal)?.into_response(), result.status),
    };
    let status = HeaderValue::try_from(status.to_string()).map_err(ApiError::internal)?;
    let kind = HeaderValue::from_static(content_type(format));
    Ok(([(CONTENT_TYPE, kind), (STATUS, status)], document).into_response())
}

async fn body(state: &AppState, job: &OwnJob, format: Format, known: KnownHead) -> Result<Body, ApiError> {
    if format == Format::Json {
        return Ok(Body::from_stream(state.store.stream(&keys::result(job.as_str())).await?));
    }
    let result = state.store.result_reader(job.as_str()).await?;
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    let pieces = Pieces { sender, runtime: Handle::current() };
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PIECE, &pieces);
        let written = format.write_stored(&known.head, result, &mut out).and_then(|()| out.flush());
        if let Err(error) = written {
            tracing::debug!(%error, "a transcript was not sent to its end");
            // The answer breaks off, so that nobody takes it for the whole. A client that is gone hears nothing of it.
            drop(pieces.send(Err(error)));
        }
    });
    let pieces = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    Ok(Body::from_stream(pieces))
}

/// What is written goes to the client. A thread that writes waits for it.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
}

impl Pieces {
    fn send(&self, piece: io::Result<Bytes>) -> io::Result<()> {
        let sent = self.runtime.block_on(self.sender.send_timeout(piece, PATIENCE));
        sent.map_err(|error| io::Error::new(io::ErrorKind::BrokenPipe, error.to_string()))
    }
}

impl Write for &Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(Ok(Bytes::copy_from_slice(bytes))).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Txt => "text/plain; charset=utf-8",
        Format::Json | Format::VerboseJson => "application/json",
        Format::Srt => "application/x-subrip; charset=utf-8",
        Format::Vtt => "text/vtt; charset=utf-8",
    }
}
