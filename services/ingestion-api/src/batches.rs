//! Starting many jobs at once, a bounded number of which run at a time.

use std::collections::HashSet;

use api::{ApiError, ErrorKind, JobLinks, JobName, Json, OwnJob, Scope};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use engine::{
    batch_list::{BatchList, BatchRecording},
    job::{JobOptions, Source, SpeechOptions, Webhook},
    llm::LlmTask,
    result::JobStatus,
    store::keys,
    temporal::{
        batch::{self, BatchError},
        client::Submission,
        progress::JobKind,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app_state::AppState,
    caller::{Caller, key_is_taken},
    job_options::BodyFormat,
    jobs::RemoteSource,
};

/// Sources that are looked up in the store at the same time.
const CONCURRENT_CHECKS: usize = 16;

/// Jobs that run at the same time where the request does not say how many.
const DEFAULT_CONCURRENCY: u32 = 4;

const MAX_CONCURRENCY: u32 = 500;

/// One job for each of several recordings, all with the same options.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBatch {
    /// Recordings, each named once.
    #[schema(min_items = 1)]
    sources: Vec<RemoteSource>,
    #[serde(default)]
    speech: SpeechOptions,
    #[serde(default)]
    llm: Vec<LlmTask>,
    /// Told of the end of each job.
    webhook: Option<Webhook>,
    /// Jobs that run at the same time. Default: 4.
    #[schema(minimum = 1, maximum = 500)]
    concurrency: Option<u32>,
    /// The batch's name. Default: one made of the recordings and the options, so that the same batch sent again takes
    /// up what failed and leaves the rest alone.
    #[schema(max_length = 200, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    id: Option<String>,
}

/// A batch that is accepted.
#[derive(Debug, Serialize, ToSchema)]
struct AcceptedBatch {
    #[schema(value_type = String)]
    id: JobName,
    #[schema(value_type = String)]
    status: JobStatus,
    /// It was running already, with the recordings that it was started with.
    existing: bool,
    jobs: Vec<BatchJob>,
    links: JobLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct BatchJob {
    #[schema(value_type = String)]
    id: JobName,
    /// The recording's address or key.
    source: String,
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(start))
}

/// Start a batch
#[utoipa::path(
    post, path = "/v1/batches", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key means the same batch", min_length = 1, max_length = 255)),
    request_body = NewBatch,
    responses((status = 202, description = "Taken on", body = AcceptedBatch)),
)]
async fn start(
    State(state): State<AppState>,
    caller: Caller,
    Json(batch): Json<NewBatch>,
) -> Result<Response, ApiError> {
    let NewBatch { sources, speech, llm, webhook, concurrency, id } = batch;
    let concurrency = checked_concurrency(concurrency)?;
    let scope = caller.scope();
    let sources = resolve(&state, scope, sources).await?;
    let options = state.checked(scope, JobOptions { speech, llm, webhook }, BodyFormat::Json)?;
    let batch = match caller.batch(id.as_deref())? {
        Some(batch) => batch,
        None => named_after(scope, &sources, &options)?,
    };
    let new = NewList { recordings: sources.into_iter().map(|source| recording(&batch, source)).collect(), options };
    batch::check(&new.options, &new.recordings).map_err(not_started)?;
    let existing = start_or_find(&state, &caller, &batch, &new, concurrency).await?;
    let accepted = AcceptedBatch {
        id: batch.name(),
        status: JobStatus::Running,
        existing,
        links: state.links.job(&batch.name()),
        jobs: new.recordings.iter().map(|recording| listed(scope, recording)).collect(),
    };
    Ok((StatusCode::ACCEPTED, axum::Json(accepted)).into_response())
}

/// What a batch is to work off.
struct NewList {
    options: JobOptions,
    recordings: Vec<BatchRecording>,
}

/// Whether the batch runs already.
async fn start_or_find(
    state: &AppState,
    caller: &Caller,
    batch: &OwnJob,
    new: &NewList,
    concurrency: u32,
) -> Result<bool, ApiError> {
    if caller.has_key() {
        let first = BatchList::find(&state.uploads.store, &keys::batch(batch.as_str())).await?;
        if first.is_some_and(|first| !first.is_of(batch.as_str(), &new.options, &new.recordings)) {
            return Err(key_is_taken(batch));
        }
    }
    let held = state.holder(batch, JobKind::Batch).await?;
    if held.is_some_and(|status| !status.is_final()) {
        return Ok(true);
    }
    let all = &new.recordings;
    let count = if state.quota.is_limited() { count_unfinished(state, batch, all).await? } else { all.len() };
    let starting = begin(state, batch, new, concurrency);
    let submission = state.quota.charge(&caller.client, count, starting, |submission| !submission.existing).await?;
    Ok(submission.existing)
}

/// The jobs that the batch will run: what it has finished before it leaves alone.
async fn count_unfinished(state: &AppState, batch: &OwnJob, all: &[BatchRecording]) -> Result<usize, ApiError> {
    let finished = state.temporal.jobs()?.completed_in_batch(batch.id()).await?;
    Ok(all.iter().filter(|recording| !finished.contains(&recording.id)).count())
}

async fn begin(state: &AppState, batch: &OwnJob, new: &NewList, concurrency: u32) -> Result<Submission, ApiError> {
    let NewList { options, recordings } = new;
    let needed: Vec<_> = recordings
        .iter()
        .map(|recording| (batch.in_batch(name(&recording.source)), recording.source.clone()))
        .collect();
    let claims = stream::iter(needed).map(Ok);
    let claim = |(job, source): (OwnJob, Source)| async move { state.uploads.claim(&job, &source).await };
    claims.try_for_each_concurrent(CONCURRENT_CHECKS, claim).await?;
    let (jobs, store) = (state.temporal.jobs()?, &state.uploads.store);
    batch::start(jobs, store, batch.id(), options, recordings, concurrency).await.map_err(not_started)
}

fn checked_concurrency(wanted: Option<u32>) -> Result<u32, ApiError> {
    let concurrency = wanted.unwrap_or(DEFAULT_CONCURRENCY);
    if (1..=MAX_CONCURRENCY).contains(&concurrency) {
        return Ok(concurrency);
    }
    Err(ApiError::invalid(format!("concurrency is 1 to {MAX_CONCURRENCY}")).param("concurrency"))
}

async fn resolve(state: &AppState, scope: &Scope, sources: Vec<RemoteSource>) -> Result<Vec<Source>, ApiError> {
    if sources.is_empty() {
        return Err(ApiError::invalid("a batch needs recordings; name at least one").param("sources"));
    }
    let mut seen = HashSet::new();
    if let Some(position) = sources.iter().position(|source| !seen.insert(source.clone())) {
        let message = format!("{} is named twice; name it once", sources[position].name());
        return Err(ApiError::invalid(message).param(format!("sources[{position}]")));
    }
    let checks = sources
        .into_iter()
        .enumerate()
        .map(async |(position, source)| source.resolve(state, scope, &format!("sources[{position}]")).await);
    stream::iter(checks).buffered(CONCURRENT_CHECKS).try_collect().await
}

/// The name is made of the recordings and of the request for none.
fn named_after(scope: &Scope, sources: &[Source], options: &JobOptions) -> Result<OwnJob, ApiError> {
    let no_source = Source::Object(String::new());
    let sources = serde_json::to_string(sources).map_err(ApiError::internal)?;
    let request = serde_json::to_string(&options.request(no_source)).map_err(ApiError::internal)?;
    Ok(OwnJob::of_batch(scope, &sources, &request))
}

fn recording(batch: &OwnJob, source: Source) -> BatchRecording {
    let id = batch.in_batch(name(&source)).as_str().to_owned();
    BatchRecording { id, name: String::new(), source }
}

fn listed(scope: &Scope, recording: &BatchRecording) -> BatchJob {
    BatchJob { id: scope.name(&recording.id), source: name(&recording.source).to_owned() }
}

fn name(source: &Source) -> &str {
    match source {
        Source::Path(name) | Source::Url(name) | Source::Object(name) => name,
    }
}

fn not_started(error: BatchError) -> ApiError {
    match error {
        BatchError::Client(error) => error.into(),
        BatchError::Store(error) => error.into(),
        BatchError::TooMany(_) => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorKind::InvalidRequestError, error.to_string())
        }
    }
}
