//! A job's transcript in every format, written while it is read: that of a day is larger than what the service may take.

use std::{
    io::{self, BufWriter, Write},
    time::Duration,
};

use api::{ApiError, OwnJob, Path, Query};
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
    formats::{BadSubtitles, Format, SubtitleChoices, SubtitleOptions},
    result::JobResult,
    store::{KnownHead, StoreError, keys},
};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
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

/// Bytes at the beginning of a result within which its job is named.
const LONGEST_NAMES: usize = 1024;

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

/// A job's transcript, or what there is of it
///
/// `transcript.` and a format: `json`, `verbose_json` (OpenAI's shape), `srt`, `vtt`, `ass`, `tsv`, `md` or `txt`. It is
/// there while language models are still at work on it; of a job that was cancelled, it is what was recognised before.
/// `partial.` and a format is the text so far, also of a job that goes on. In JSON, `warnings` says what may be missing:
/// each has a `code`, such as `ends_early` or `other_tracks`, a `message`, and a `start` where it concerns a part of the
/// recording.
#[utoipa::path(get, path = "/v1/jobs/{id}/{document}", tag = "Results",
    params(
        ("id" = String, Path, description = "The job"),
        ("document" = String, Path, description = "`transcript.` or `partial.` and a format", example = "transcript.srt"),
        SubtitleChoices,
    ),
    responses(
        (status = 200, description = "The document. X-Longhand-Status says how the job stands", content(
            (Object = "application/json"), (String = "text/plain"), (String = "text/vtt"), (String = "application/x-subrip"),
            (String = "text/x-ssa"), (String = "text/tab-separated-values"), (String = "text/markdown"),
        )),
        (status = 304, description = "It is the one whose ETag came in If-None-Match"),
        (status = 409, description = "The text is not complete yet, or the job gave none", body = api::ErrorBody),
    ),
)]
async fn transcript(
    State(state): State<AppState>,
    job: OwnJob,
    Path(OfJob { document }): Path<OfJob>,
    Query(choices): Query<SubtitleChoices>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let unknown = || {
        let formats = Format::ALL.map(|format| format!("transcript.{format}")).join(", ");
        ApiError::not_found(format!("a job has no {document}; its transcript is {formats}"))
    };
    let (part, format) = document.split_once('.').ok_or_else(unknown)?;
    let format = format.parse::<Format>().map_err(|_| unknown())?;
    let options = choices
        .resolve(format)
        .map_err(|refused: BadSubtitles| ApiError::invalid(refused.to_string()).param(refused.field()))?;
    let text = match part {
        "transcript" => state.text(&job).await?,
        "partial" => state.text_so_far(&job).await?,
        _ => return Err(unknown()),
    };
    let (document, status) = match text {
        Text::Stored(known) => {
            // A later LLM answer makes another version, and a later program may write it otherwise.
            let version = format!("{} {format} {options:?} {} {job}", known.version, env!("CARGO_PKG_VERSION"));
            let tag = etag::of_content(version);
            if etag::matches(&tag, &headers) {
                return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
            }
            let status = known.head.status;
            (([(ETAG, tag)], stored(&state, &job, format, options, known).await?).into_response(), status)
        }
        Text::SoFar(result) => {
            let status = result.status;
            (so_far(format, options, result).into_response(), status)
        }
    };
    let status = HeaderValue::try_from(status.to_string()).map_err(ApiError::internal)?;
    let kind = HeaderValue::from_static(content_type(format));
    Ok(([(CONTENT_TYPE, kind), (STATUS, status)], document).into_response())
}

async fn stored(
    state: &AppState,
    job: &OwnJob,
    format: Format,
    options: SubtitleOptions,
    known: KnownHead,
) -> Result<Body, ApiError> {
    if format == Format::Json {
        let result = state.store.stream(&keys::result(job.as_str())).await?;
        // As it lies in the store it has the name by which its owner knows it.
        let (written, name) = (&known.head.job_id, job.to_string());
        return if *written == name { Ok(Body::from_stream(result)) } else { renamed(result, written, &name).await };
    }
    let result = state.store.result_reader(job.as_str()).await?;
    Ok(written(move |out| format.write_stored(&known.head, result, &options, out)))
}

fn so_far(format: Format, options: SubtitleOptions, result: Box<JobResult>) -> Body {
    written(move |out| format.write(&result, &options, out))
}

/// A body that is sent while it is written.
fn written(write: impl FnOnce(&mut BufWriter<&Pieces>) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    let pieces = Pieces { sender, runtime: Handle::current() };
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PIECE, &pieces);
        let written = write(&mut out).and_then(|()| out.flush());
        if let Err(error) = written {
            tracing::debug!(%error, "a transcript was not sent to its end");
            // The answer breaks off, so that nobody takes it for the whole. A client that is gone hears nothing of it.
            drop(pieces.send(Err(error)));
        }
    });
    let pieces = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    Body::from_stream(pieces)
}

/// A result with another name of its job, which is one of its first fields.
async fn renamed(
    mut result: BoxStream<'static, Result<Bytes, StoreError>>,
    written: &str,
    name: &str,
) -> Result<Body, ApiError> {
    let mut head = Vec::new();
    while head.len() < LONGEST_NAMES
        && let Some(piece) = result.try_next().await?
    {
        head.extend(piece);
    }
    let field = |id: &str| format!("\"job_id\":\"{id}\"").into_bytes();
    let written = field(written);
    if let Some(at) = head.windows(written.len()).position(|part| part == written) {
        drop(head.splice(at..at + written.len(), field(name)));
    }
    Ok(Body::from_stream(stream::iter([Ok(Bytes::from(head))]).chain(result)))
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
        Format::Ass => "text/x-ssa; charset=utf-8",
        Format::Tsv => "text/tab-separated-values; charset=utf-8",
        Format::Md => "text/markdown; charset=utf-8",
    }
}
