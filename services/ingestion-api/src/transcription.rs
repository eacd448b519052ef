//! Requests that wait for their text, as those of OpenAI's API do: a recording becomes a job as any other, and the answer
//! is what came of it.
//!
//! An answer says by its status how the request went, so it does not begin before that is known. That is as soon as the
//! recording is read and the model has taken the options: from then on only machines can fail. The head goes out then,
//! with the job's id in it, and whoever waits for the text need no longer wonder whether anybody is there. An interim
//! response (1xx) would tell the id sooner, but Python's standard library takes any but 100 for the answer itself, and
//! so do proxies.

mod outcome;

use std::{collections::VecDeque, io, time::Duration};

use api::{ApiError, OwnJob};
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use engine::{
    formats::{Format, SubtitleOptions},
    job::{JobOptions, SpeechOptions},
    result::JobResult,
};
use futures_util::{StreamExt, future::BoxFuture, stream};

pub(crate) use outcome::{result, stopping};

use crate::{app_state::AppState, awaited_job::AwaitedJob, caller::Caller, upload::Upload};

/// Tells which job a transcription is.
const JOB: HeaderName = HeaderName::from_static("x-longhand-job");

/// Tells what of the request had no effect.
const IGNORED_FIELDS: HeaderName = HeaderName::from_static("x-longhand-ignored-fields");

/// Bytes of that header at most: a request has as many fields as it likes.
const LONGEST_LIST: usize = 1000;

/// Between two looks whether the recording is good.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// JSON that is not there yet begins with spaces now and then, or proxies would close the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How a result is written.
pub(crate) struct Document {
    content_type: &'static str,
    write: Box<WriteResult>,
}

type WriteResult = dyn FnOnce(&JobResult) -> Result<String, ApiError> + Send;

impl Document {
    pub(crate) fn json(write: impl FnOnce(&JobResult) -> serde_json::Result<String> + Send + 'static) -> Self {
        let write = |result: &JobResult| write(result).map_err(ApiError::internal);
        Self { content_type: "application/json", write: Box::new(write) }
    }

    /// As text in one of the formats, which OpenAI's API and its kin call plain whatever it is.
    pub(crate) fn plain(format: Format) -> Self {
        let write =
            move |result: &JobResult| format.render(result, &SubtitleOptions::default()).map_err(ApiError::internal);
        Self { content_type: "text/plain; charset=utf-8", write: Box::new(write) }
    }

    fn is_json(&self) -> bool {
        self.content_type == "application/json"
    }
}

/// Starts the job of a request. Of one whose client hangs up nothing is left to do.
///
/// # Errors
/// As [`AppState::submit`], and those of the store.
pub(crate) async fn start(
    state: &AppState,
    caller: Caller,
    file: Upload,
    name: Option<&str>,
    speech: SpeechOptions,
) -> Result<AwaitedJob, ApiError> {
    let job = caller.job(None)?;
    let options = JobOptions { speech, ..JobOptions::default() };
    let request = options.request(file.keep().await?).named(name);
    AwaitedJob::start(state, caller, job, request).await
}

/// The answer with the job's id, and with what of the request had no effect.
pub(crate) fn with_headers(job: &OwnJob, ignored: &[String], mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(job.to_string()).ok().map(|id| (JOB, id)));
    headers.extend(list(ignored).map(|fields| (IGNORED_FIELDS, fields)));
    response
}

/// The names as a header, without those that no header can hold.
fn list(names: &[String]) -> Option<HeaderValue> {
    let is_plain = |name: &&String| name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    let mut list = String::new();
    for name in names.iter().filter(is_plain) {
        if list.len() + name.len() > LONGEST_LIST {
            break;
        }
        list.push_str(if list.is_empty() { "" } else { ", " });
        list.push_str(name);
    }
    HeaderValue::try_from(list).ok().filter(|list| !list.is_empty())
}

/// Waits for the job's end and answers with its document, or begins to answer while it goes on. An answer that says why
/// the job failed has its id, too.
pub(crate) async fn respond(state: AppState, awaited: AwaitedJob, document: Document, ignored: &[String]) -> Response {
    let job = awaited.job().clone();
    let response = answer(state, awaited, document).await.unwrap_or_else(IntoResponse::into_response);
    with_headers(&job, ignored, response)
}

async fn answer(state: AppState, mut awaited: AwaitedJob, document: Document) -> Result<Response, ApiError> {
    let content_type = [(CONTENT_TYPE, HeaderValue::from_static(document.content_type))];
    let ended = tokio::select! {
        ended = outcome::wait(&state, awaited.job()) => Some(ended),
        () = proven_good(&state, awaited.job()) => None,
    };
    let Some(ended) = ended else { return Ok((content_type, begun(state, awaited, document)).into_response()) };
    awaited.leave();
    let text = (document.write)(&ended?)?;
    Ok((content_type, text).into_response())
}

/// Comes when the recording is read and the options are settled. A job that ends before is told by its end.
async fn proven_good(state: &AppState, job: &OwnJob) {
    loop {
        tokio::time::sleep(LOOK_PAUSE).await;
        let Ok(jobs) = state.temporal.jobs() else { continue };
        match jobs.progress(job.as_str()).await {
            Ok(progress) if progress.is_segmented() && !progress.decode_config_hash.is_empty() => return,
            Ok(_) => {}
            // The wait for the end meets the same, and tells it.
            Err(error) => tracing::debug!(%error, "no progress to see"),
        }
    }
}

/// An answer that goes on until the job has ended.
fn begun(state: AppState, mut awaited: AwaitedJob, document: Document) -> Body {
    let keeps_alive = document.is_json();
    let writing: BoxFuture<'static, VecDeque<io::Result<Bytes>>> = Box::pin(async move {
        let ended = outcome::wait(&state, awaited.job()).await;
        awaited.leave();
        match ended.and_then(|result| (document.write)(&result)) {
            Ok(text) => VecDeque::from([Ok(text.into())]),
            // The answer breaks off, so that nobody takes it for the text.
            Err(failed) => {
                let body = serde_json::to_vec(&failed.body(awaited.job().scope())).unwrap_or_default();
                VecDeque::from([Ok(body.into()), Err(io::Error::other("the job gave no text"))])
            }
        }
    });
    let pieces = stream::unfold((Some(writing), VecDeque::new()), move |(mut writing, mut pieces)| async move {
        if let Some(written) = &mut writing {
            tokio::select! {
                written = written => {
                    pieces = written;
                    writing = None;
                }
                () = tokio::time::sleep(KEEP_ALIVE), if keeps_alive => pieces.push_back(Ok(Bytes::from_static(b"\n"))),
            }
        }
        Some((pieces.pop_front()?, (writing, pieces)))
    });
    Body::from_stream(pieces.boxed())
}
