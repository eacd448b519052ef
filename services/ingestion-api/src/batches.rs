//! Starting many jobs at once, a bounded number of which run at a time.

use std::collections::HashSet;

use api::{ApiError, ErrorKind, JobLinks, Json};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use engine::{
    batch_list::{BatchList, BatchRecording},
    ids::JobId,
    job::{JobOptions, Source, SpeechOptions, Webhook},
    llm::LlmTask,
    result::JobStatus,
    store::keys,
    temporal::batch::{self, BatchError},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app_state::AppState,
    caller::{Caller, key_is_taken},
    job_options::{self, BodyFormat},
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
    #[schema(value_type = Option<String>, max_length = 200, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    id: Option<JobId>,
}

/// A batch that is accepted.
#[derive(Debug, Serialize, ToSchema)]
struct AcceptedBatch {
    id: String,
    #[schema(value_type = String)]
    status: JobStatus,
    /// It was running already, with the recordings that it was started with.
    existing: bool,
    jobs: Vec<BatchJob>,
    links: JobLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct BatchJob {
    id: String,
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
    let sources = resolve(&state, sources).await?;
    let options = job_options::checked(JobOptions { speech, llm, webhook }, BodyFormat::Json)?;
    let id = if id.is_some() || caller.has_key() { caller.job_id(id)? } else { derived_id(&sources, &options)? };
    let recordings: Vec<_> = sources.into_iter().map(|source| recording(&id, source)).collect();
    batch::check(&options, &recordings).map_err(not_started)?;
    let jobs = state.temporal.jobs()?;
    let store = &state.uploads.store;
    if caller.has_key()
        && let Some(list) = BatchList::find(store, &keys::batch(id.as_str())).await?
        && !list.is_of(id.as_str(), &options, &recordings)
    {
        return Err(key_is_taken(&id));
    }
    let existing = batch::is_running(jobs, &id).await?;
    if !existing {
        state.quota.take(&caller.client, recordings.len()).await?;
        batch::start(jobs, store, &id, &options, &recordings, concurrency).await.map_err(not_started)?;
    }
    let accepted = AcceptedBatch {
        status: JobStatus::Running,
        existing,
        jobs: recordings.into_iter().map(BatchJob::from).collect(),
        links: state.links.job(id.as_str()),
        id: id.to_string(),
    };
    Ok((StatusCode::ACCEPTED, axum::Json(accepted)).into_response())
}

fn checked_concurrency(wanted: Option<u32>) -> Result<u32, ApiError> {
    let concurrency = wanted.unwrap_or(DEFAULT_CONCURRENCY);
    if (1..=MAX_CONCURRENCY).contains(&concurrency) {
        return Ok(concurrency);
    }
    Err(ApiError::invalid(format!("concurrency is 1 to {MAX_CONCURRENCY}")).param("concurrency"))
}

async fn resolve(state: &AppState, sources: Vec<RemoteSource>) -> Result<Vec<Source>, ApiError> {
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
        .map(async |(position, source)| source.resolve(state, &format!("sources[{position}]")).await);
    stream::iter(checks).buffered(CONCURRENT_CHECKS).try_collect().await
}

/// The name of a batch is made of its recordings and of the request for none.
fn derived_id(sources: &[Source], options: &JobOptions) -> Result<JobId, ApiError> {
    let no_source = Source::Object(String::new());
    let sources = serde_json::to_string(sources).map_err(ApiError::internal)?;
    let request = serde_json::to_string(&options.request(no_source)).map_err(ApiError::internal)?;
    Ok(JobId::of_batch(&sources, &request))
}

fn recording(batch: &JobId, source: Source) -> BatchRecording {
    let name = name(&source);
    BatchRecording { id: batch.in_batch(name, name).to_string(), name: String::new(), source }
}

fn name(source: &Source) -> &str {
    match source {
        Source::Path(name) | Source::Url(name) | Source::Object(name) => name,
    }
}

impl From<BatchRecording> for BatchJob {
    fn from(BatchRecording { id, source, .. }: BatchRecording) -> Self {
        Self { id, source: name(&source).to_owned() }
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
