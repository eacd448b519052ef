//! What a client gets for a job that is started.

use api::{JobLinks, JobName};
use axum::{
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use engine::result::JobStatus;
use serde::Serialize;
use utoipa::ToSchema;

/// A job that is accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedJob {
    #[schema(value_type = String)]
    pub(crate) id: JobName,
    /// `running`, or the status of the existing job.
    #[schema(value_type = String)]
    pub(crate) status: JobStatus,
    /// The id was taken: nothing was started, and this is the job that has it.
    pub(crate) existing: bool,
    pub(crate) links: JobLinks,
}

impl IntoResponse for AcceptedJob {
    fn into_response(self) -> Response {
        let location = [(LOCATION, self.links.this.clone())];
        (StatusCode::ACCEPTED, location, axum::Json(self)).into_response()
    }
}
