//! What the language model made of a transcript, and asking it again.

use std::collections::BTreeMap;

use api::{ApiError, Client, JobLinks, JobName, Json, OwnJob, Path};
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use engine::llm::{LlmAnswer, LlmTask, PresetTask, Question};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app_state::{AppState, no_transcript};

/// What to ask: one of the standing tasks, or a question of one's own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLlmTask {
    /// A standing task.
    task: Option<PresetTask>,
    /// A question about the transcript.
    #[schema(max_length = 20000)]
    ask: Option<String>,
    /// JSON schema that the answer to `ask` has to satisfy.
    #[schema(value_type = Option<Object>)]
    schema: Option<serde_json::Value>,
}

impl NewLlmTask {
    fn resolve(self) -> Result<LlmTask, ApiError> {
        match (self.task, self.ask) {
            (Some(task), None) if self.schema.is_none() => Ok(task.into()),
            (None, Some(text)) if !text.trim().is_empty() => Ok(LlmTask::Ask(Question { text, schema: self.schema })),
            (Some(_), None) => Err(ApiError::invalid("a schema goes with a question of your own").param("schema")),
            (None, Some(_)) => Err(ApiError::invalid("the question is empty; write it").param("ask")),
            _ => Err(ApiError::invalid("give either a task or a question to ask").param("task")),
        }
    }
}

/// A task that is accepted.
#[derive(Debug, Serialize, ToSchema)]
struct AcceptedTask {
    /// The task is a job of its own; its answer goes into the job that was asked about.
    #[schema(value_type = String)]
    id: JobName,
    links: JobLinks,
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(all, ask)).routes(routes!(one))
}

/// All answers of the language model, by task.
#[utoipa::path(get, path = "/v1/jobs/{id}/llm", tag = "Results", params(("id" = String, Path, description = "The job")), responses(
    (status = 200, description = "By the tasks' names", body = Object),
    (status = 409, description = "The job has not ended, or gave no transcript", body = api::ErrorBody),
))]
async fn all(
    State(state): State<AppState>,
    job: OwnJob,
) -> Result<axum::Json<BTreeMap<String, serde_json::Value>>, ApiError> {
    Ok(axum::Json(state.result(&job).await?.head.llm.clone()))
}

/// What of the job is asked for.
#[derive(Deserialize)]
struct OfJob {
    task: String,
}

/// One answer of the language model, and what it took.
#[utoipa::path(get, path = "/v1/jobs/{id}/llm/{task}", tag = "Results",
    params(("id" = String, Path, description = "The job"), ("task" = String, Path, description = "`summary`, `chapters`, `actions` or `ask`")),
    responses((status = 200, description = "`output`, and `usage`", body = Object)),
)]
async fn one(
    State(state): State<AppState>,
    job: OwnJob,
    Path(OfJob { task }): Path<OfJob>,
) -> Result<axum::Json<LlmAnswer>, ApiError> {
    let unknown = || ApiError::not_found(format!("the job {job} has no answer to {task:?}"));
    // What is no task's name is no key in the store either.
    if !LlmTask::NAMES.contains(&task.as_str()) {
        return Err(unknown());
    }
    let run_id = state.latest_run(&job).await?;
    let answer = state.store.find_llm_answer(job.as_str(), &run_id, &task).await?;
    answer.map(axum::Json).ok_or_else(unknown)
}

/// Asks the language model about a finished transcript, again or anew.
#[utoipa::path(post, path = "/v1/jobs/{id}/llm", tag = "Results", params(("id" = String, Path, description = "The job")),
    request_body = NewLlmTask,
    responses(
        (status = 202, description = "It is being asked", body = AcceptedTask),
        (status = 409, description = "The job has not ended, gave no transcript, or is being asked another question", body = api::ErrorBody),
    ),
)]
async fn ask(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    job: OwnJob,
    Json(task): Json<NewLlmTask>,
) -> Result<Response, ApiError> {
    let task = task.resolve()?;
    let status = state.result(&job).await?.head.status;
    if !status.has_transcript() {
        return Err(no_transcript(&job, status));
    }
    let jobs = state.temporal.jobs()?;
    let start = async { Ok(jobs.submit_llm(job.as_str(), &task).await?) };
    let submission = state.quota.charge(&client, 1, start, |submission| !submission.existing).await?;
    let id = job.scope().name(&submission.id);
    if submission.existing && matches!(task, LlmTask::Ask(_)) {
        let message = format!("{job} is being asked another question; ask again when the job {id} has ended");
        return Err(ApiError::new(StatusCode::CONFLICT, api::ErrorKind::InvalidRequestError, message).code("busy"));
    }
    // A run of the same name may have ended just before.
    state.watchers.forget(&submission.id);
    let accepted = AcceptedTask { links: state.links.job(&id), id };
    Ok((StatusCode::ACCEPTED, axum::Json(accepted)).into_response())
}
