//! The list of jobs, and the state of one.

use api::{ApiError, Client, OwnJob, Query};
use axum::{Extension, Json, extract::State};
use engine::{
    result::JobStatus,
    temporal::{
        client::{Cursor, JobFilter},
        progress::JobKind,
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app_state::AppState,
    job_view::{JobView, ListedJob},
};

/// Jobs on a page where the query does not say how many.
const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ListJobsQuery {
    /// Only jobs with this status: `running`, `completed`, `completed_with_errors`, `failed`, `cancelled`.
    #[param(value_type = Option<String>)]
    status: Option<JobStatus>,
    /// Only jobs of this kind: `transcribe`, `llm`, `batch`.
    #[param(value_type = Option<String>)]
    kind: Option<JobKind>,
    /// Jobs on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Jobs: those that run, then those that ended last.
#[derive(Debug, Serialize, ToSchema)]
struct JobList {
    jobs: Vec<ListedJob>,
    /// The cursor of the page after this one.
    #[schema(required)]
    next_cursor: Option<String>,
}

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// The jobs that there are: those that run, then those that ended last.
#[utoipa::path(get, path = "/v1/jobs", tag = "Jobs", params(ListJobsQuery), responses(
    (status = 200, description = "A page of them", body = JobList),
))]
async fn list(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    Query(query): Query<ListJobsQuery>,
) -> Result<Json<JobList>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::invalid(format!("limit is {limit}; ask for 1 to {MAX_LIMIT} jobs")).param("limit"));
    }
    let cursor = query.cursor.map(|cursor| cursor.parse::<Cursor>()).transpose();
    let cursor = cursor.map_err(|error| ApiError::invalid(error.to_string()).param("cursor"))?;
    let scope = client.scope();
    let filter = JobFilter { tenant: scope.tenant().cloned(), status: query.status, kind: query.kind };
    let page = state.temporal.jobs()?.page(filter, cursor, limit).await?;
    Ok(Json(JobList {
        jobs: page.jobs.into_iter().map(|job| ListedJob::new(scope, job)).collect(),
        next_cursor: page.next.map(|next| next.to_string()),
    }))
}

/// Where a job stands.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "Jobs", params(("id" = String, Path, description = "The job")), responses(
    (status = 200, description = "As it is now", body = JobView),
))]
async fn show(State(state): State<AppState>, job: OwnJob) -> Result<Json<JobView>, ApiError> {
    let snapshots = state.follow(&job).await?;
    let snapshot = snapshots.borrow();
    Ok(Json(JobView::new(&job, &snapshot, &state.links)))
}
