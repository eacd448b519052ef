//! Starting and cancelling jobs.

use api::{ApiError, Client, JobName, Json, OwnJob, Query, Scope};
use axum::{
    Extension,
    extract::{FromRequest, Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use engine::{
    job::{JobOptions, JobRequest, Source, SpeechOptions, Webhook},
    llm::LlmTask,
    references,
    result::JobStatus,
    store::keys,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    accepted_job::AcceptedJob,
    app_state::AppState,
    caller::Caller,
    form::Form,
    job_options::{self, BodyFormat, check_web_address},
    purge,
};

/// A job for a recording that is somewhere already.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewJob {
    source: RemoteSource,
    #[serde(default)]
    speech: SpeechOptions,
    /// Work for the language model on the finished transcript.
    #[serde(default)]
    llm: Vec<LlmTask>,
    webhook: Option<Webhook>,
    /// The job's name; one that is taken means the job that has it.
    #[schema(max_length = 200, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    id: Option<String>,
}

/// Where the recording is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RemoteSource {
    /// An http or https address, which the workers fetch.
    Url(String),
    /// A key in the object store. With a tenant's API key, that of an upload which a job of the tenant has: `uploads/`
    /// and the SHA-256 of its bytes.
    Object(String),
}

/// A job for a recording that comes with it. The options are those of JSON in fields of their own.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is what the documentation says of the form; the form is read field by field")]
struct JobForm {
    /// The recording.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    model: Option<String>,
    language: Option<String>,
    /// `transcribe` or `translate`.
    task: Option<String>,
    prompt: Option<String>,
    /// `true` or `false`.
    words: Option<String>,
    /// Of `summary`, `chapters` and `actions`, separated by commas.
    llm: Option<String>,
    /// A question about the transcript.
    ask: Option<String>,
    /// JSON schema that the answer has to satisfy.
    schema: Option<String>,
    /// Address that is told when the job has ended.
    webhook: Option<String>,
    /// The job's name; one that is taken means the job that has it.
    id: Option<String>,
}

/// What becomes of a job that is deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct CancelQuery {
    /// Whether everything of it goes, and not only its work stops.
    #[serde(default)]
    #[param(required = false, default = false)]
    purge: bool,
}

/// A job that is asked to stop.
#[derive(Debug, Serialize, ToSchema)]
struct CancelledJob {
    #[schema(value_type = String)]
    id: JobName,
    /// How it stood before: one that had ended stays as it is.
    #[schema(value_type = String)]
    status: JobStatus,
}

pub(crate) fn quick_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(cancel))
}

pub(crate) fn patient_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(start))
}

/// Start a job
///
/// Takes a recording as a form, or the address of one as JSON. A job is known by its id: the field `id`, or one made
/// of the `Idempotency-Key`, so that the same request sent twice is one job. Another request with that key is refused.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key means the same job", min_length = 1, max_length = 255)),
    request_body(content((NewJob = "application/json"), (JobForm = "multipart/form-data"))),
    responses((status = 202, description = "Taken on", body = AcceptedJob)),
)]
async fn start(State(state): State<AppState>, caller: Caller, request: Request) -> Result<AcceptedJob, ApiError> {
    let (job, request) = if is_form(&request) {
        from_form(&state, &caller, request).await?
    } else {
        from_json(&state, &caller, request).await?
    };
    state.submit(&job, &request, &caller).await
}

fn is_form(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    kind.is_some_and(|kind| kind.starts_with(b"multipart/"))
}

/// The job and what it is to do. A recording is kept only if all else is right.
async fn from_form(state: &AppState, caller: &Caller, request: Request) -> Result<(OwnJob, JobRequest), ApiError> {
    let mut form = Form::read(request, &state.uploads, &job_options::FORM_FIELDS).await?;
    let file = form.file()?;
    let job = caller.job(form.take("id").as_deref())?;
    let options = state.checked(caller.scope(), job_options::from_form(&mut form)?, BodyFormat::Form)?;
    Ok((job, options.request(file.keep().await?)))
}

async fn from_json(state: &AppState, caller: &Caller, request: Request) -> Result<(OwnJob, JobRequest), ApiError> {
    let Json(job) = Json::<NewJob>::from_request(state.limit_json(request), &()).await?;
    let NewJob { source, speech, llm, webhook, id } = job;
    let source = source.resolve(state, caller.scope(), "source").await?;
    let options = state.checked(caller.scope(), JobOptions { speech, llm, webhook }, BodyFormat::Json)?;
    Ok((caller.job(id.as_deref())?, options.request(source)))
}

impl RemoteSource {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Url(name) | Self::Object(name) => name,
        }
    }

    /// Checks what can be checked at once. Where an address leads to is looked at when it is fetched.
    ///
    /// # Errors
    /// 400 with the field that is wrong.
    pub(crate) async fn resolve(self, state: &AppState, scope: &Scope, param: &str) -> Result<Source, ApiError> {
        match self {
            Self::Url(url) => {
                check_web_address(&url).map_err(|refused| refused.param(format!("{param}.url")))?;
                Ok(Source::Url(url))
            }
            Self::Object(key) => {
                let refused = |message: String| ApiError::invalid(message).param(format!("{param}.object"));
                let plain = |part: &str| !matches!(part, "" | "." | "..");
                if !key.split('/').all(plain) || key.chars().any(char::is_control) {
                    return Err(refused("a key has parts divided by single slashes, none of them . or ..".to_owned()));
                }
                if !may_name(state, scope, &key).await? || !state.uploads.store.exists(&key).await? {
                    return Err(refused(format!("the store has no object {key}")));
                }
                Ok(Source::Object(key))
            }
        }
    }
}

/// Whether the client may name the object as its recording: what the system writes is nobody's, and of the uploads a
/// tenant's are those that its own jobs came with.
async fn may_name(state: &AppState, scope: &Scope, key: &str) -> Result<bool, ApiError> {
    let Some(tenant) = scope.tenant() else { return Ok(!keys::is_own(key)) };
    let Some(sha256) = keys::upload_hash(key) else { return Ok(false) };
    Ok(references::belongs_to(&state.uploads.store, sha256, tenant).await?)
}

/// Cancel or delete a job
///
/// It stops within about a second; what it has finished is found again by the next job on the same recording. With
/// `purge` it goes for good: result, transcript, answers, the log of its webhook, what Temporal knows of it, and its
/// recording with all that was made of it, where no other job has the same. A batch goes with all its jobs. Until that is
/// done, its name is refused with 409.
#[utoipa::path(
    delete, path = "/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The job's or the batch's id"), CancelQuery),
    responses((status = 202, description = "It is being stopped or deleted, or had ended before", body = CancelledJob)),
)]
async fn cancel(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    job: OwnJob,
    Query(query): Query<CancelQuery>,
) -> Result<Response, ApiError> {
    let jobs = state.temporal.jobs()?;
    if query.purge {
        let status = purge::start(jobs, &state.uploads.store, &job, &client).await?;
        return Ok((StatusCode::ACCEPTED, axum::Json(CancelledJob { id: job.name(), status })).into_response());
    }
    let status = jobs.status(job.as_str()).await?;
    if !status.is_final() {
        jobs.cancel(job.as_str()).await?;
    }
    Ok((StatusCode::ACCEPTED, axum::Json(CancelledJob { id: job.name(), status })).into_response())
}
