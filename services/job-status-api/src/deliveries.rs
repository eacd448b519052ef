//! The tries to deliver a job's webhook.

use api::{ApiError, OwnJob};
use axum::{Json, extract::State};
use engine::webhook::DeliveryAttempt;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app_state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(deliveries))
}

/// Every try to tell the job's webhook how it ended, of all runs of the job; none where there is no webhook or the job goes on.
#[utoipa::path(get, path = "/v1/jobs/{id}/deliveries", tag = "Results", params(("id" = String, Path, description = "The job")), responses(
    (status = 200, description = "In order", body = Vec<Object>),
))]
async fn deliveries(State(state): State<AppState>, job: OwnJob) -> Result<Json<Vec<DeliveryAttempt>>, ApiError> {
    let attempts = state.store.find_delivery_attempts(job.as_str()).await?;
    if attempts.is_empty() {
        // Tells a job without deliveries from one that is not there.
        state.follow(&job).await?;
    }
    Ok(Json(attempts))
}
