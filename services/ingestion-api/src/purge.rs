//! Deleting a job for good.

use api::{ApiError, Client};
use engine::{
    erasure::Scope,
    ids::JobId,
    result::JobStatus,
    store::Store,
    temporal::{
        client::{ClientError, Jobs},
        workflows::PurgeRequest,
    },
};

/// Has the job purged, which goes on without this service. Gives its status before.
///
/// # Errors
/// 404 for a job that neither Temporal nor the store knows.
pub(crate) async fn start(jobs: &Jobs, store: &Store, id: &JobId, client: &Client) -> Result<JobStatus, ApiError> {
    let status = match jobs.status(id.as_str()).await {
        Err(error @ ClientError::NotFound { .. }) => {
            let result = store.find_result(id.as_str()).await?;
            result.ok_or(error)?.status
        }
        known => known?,
    };
    let request = PurgeRequest {
        job_id: id.to_string(),
        scope: Scope::Everything,
        asked_by: format!("{} over HTTP", client.name()),
        spare_running: false,
    };
    jobs.purge(&request).await?;
    Ok(status)
}
