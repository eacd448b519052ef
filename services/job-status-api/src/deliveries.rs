//! The tries to deliver a job's webhook.

use api::{ApiError, Path};
use axum::{Json, extract::State};
use engine::{ids::JobId, store::keys, webhook::DeliveryAttempt};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::status::Status;

pub(crate) fn routes() -> OpenApiRouter<Status> {
    OpenApiRouter::new().routes(routes!(deliveries))
}

/// Every try to tell the job's webhook how it ended; none where there is no webhook or the job goes on.
#[utoipa::path(get, path = "/v1/jobs/{id}/deliveries", tag = "Results", params(("id" = String, Path, description = "The job")), responses(
    (status = 200, description = "In order", body = Vec<Object>),
))]
async fn deliveries(
    State(status): State<Status>,
    Path(id): Path<JobId>,
) -> Result<Json<Vec<DeliveryAttempt>>, ApiError> {
    let attempts = status.store.find_json(&keys::deliveries(id.as_str())).await?;
    if attempts.is_none() {
        // Tells a job without deliveries from one that is not there.
        status.follow(&id).await?;
    }
    Ok(Json(attempts.unwrap_or_default()))
}
