//! Starting many jobs at once, a bounded number of which run at a time.

use std::collections::HashSet;

use api::{ApiError, Client, ErrorKind, JobLinks, Json};
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use engine::{
    ids::JobId,
    job::{JobRequest, Source},
    result::JobStatus,
    temporal::{
        batch::{self, BatchError},
        contracts::BatchEntry,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    asked::{Asked, Hook, Llm, Shape, Speech, job_id},
    idempotency::JobOfKey,
    ingestion::{Ingestion, key_is_taken},
    jobs::NewSource,
};

/// Sources that are looked at in the store at the same time.
const CHECKS: usize = 16;

/// Jobs that run at the same time where nothing is said.
const CONCURRENCY: u32 = 4;

const MOST_CONCURRENCY: u32 = 500;

/// One job for each of several recordings, all with the same options.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBatch {
    /// Recordings, each named once.
    #[schema(min_items = 1)]
    sources: Vec<NewSource>,
    #[serde(default)]
    speech: Speech,
    #[serde(default)]
    llm: Vec<Llm>,
    /// Told of the end of each job.
    webhook: Option<Hook>,
    /// Jobs that run at the same time. Default: 4.
    #[schema(minimum = 1, maximum = 500)]
    concurrency: Option<u32>,
    /// The batch's name. Default: one made of the recordings and the options, so that the same batch sent again takes
    /// up what failed and leaves the rest alone.
    #[schema(value_type = Option<String>, max_length = 200, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    id: Option<JobId>,
}

/// A batch that is taken on.
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

pub(crate) fn routes() -> OpenApiRouter<Ingestion> {
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
    State(ingestion): State<Ingestion>,
    Extension(client): Extension<Client>,
    JobOfKey(of_key): JobOfKey,
    Json(wanted): Json<NewBatch>,
) -> Result<Response, ApiError> {
    let concurrency = wanted.concurrency.unwrap_or(CONCURRENCY);
    if !(1..=MOST_CONCURRENCY).contains(&concurrency) {
        return Err(ApiError::invalid(format!("concurrency is 1 to {MOST_CONCURRENCY}")).param("concurrency"));
    }
    let sources = checked(&ingestion, wanted.sources).await?;
    let request = Asked { speech: wanted.speech, llm: wanted.llm, webhook: wanted.webhook }.resolve(Shape::Json)?;
    let is_of_key = of_key.is_some();
    let id = if wanted.id.is_some() || is_of_key {
        job_id(wanted.id, of_key)?
    } else {
        let [sources, asked] = [serde_json::to_string(&sources), serde_json::to_string(&request(nothing()))];
        JobId::of_batch(&sources.map_err(ApiError::internal)?, &asked.map_err(ApiError::internal)?)
    };
    let entries: Vec<_> = sources.into_iter().map(|source| entry(&id, source, &request)).collect();
    let jobs = ingestion.temporal.jobs()?;
    let store = &ingestion.uploads.store;
    if is_of_key && batch::list(store, &id).await?.is_some_and(|list| list != entries) {
        return Err(key_is_taken(&id));
    }
    let existing = batch::is_running(jobs, &id).await?;
    if !existing {
        ingestion.quota.take(&client, entries.len()).await?;
        batch::start(jobs, store, &id, &entries, concurrency).await.map_err(not_started)?;
    }
    let accepted = AcceptedBatch {
        status: JobStatus::Running,
        existing,
        jobs: entries.into_iter().map(|entry| BatchJob { id: entry.id, source: entry.name }).collect(),
        links: ingestion.links.job(id.as_str()),
        id: id.to_string(),
    };
    Ok((StatusCode::ACCEPTED, axum::Json(accepted)).into_response())
}

async fn checked(ingestion: &Ingestion, sources: Vec<NewSource>) -> Result<Vec<Source>, ApiError> {
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
        .map(async |(position, source)| source.resolve(ingestion, &format!("sources[{position}]")).await);
    stream::iter(checks).buffered(CHECKS).try_collect().await
}

/// What the batch's name is made of besides the recordings: a request for none.
fn nothing() -> Source {
    Source::Object(String::new())
}

fn entry(batch: &JobId, source: Source, request: &impl Fn(Source) -> JobRequest) -> BatchEntry {
    let name = match &source {
        Source::Path(name) | Source::Url(name) | Source::Object(name) => name.clone(),
    };
    BatchEntry { id: batch.in_batch(&name, &name).to_string(), name, request: request(source) }
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
