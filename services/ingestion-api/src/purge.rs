//! Deleting a job for good.

use api::{ApiError, Client, OwnJob};
use engine::{
    erasure::Scope,
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
pub(crate) async fn start(jobs: &Jobs, store: &Store, job: &OwnJob, client: &Client) -> Result<JobStatus, ApiError> {
    let status = match jobs.status(job.as_str()).await {
        Err(error @ ClientError::NotFound { .. }) => {
            let result = store.find_result(job.as_str()).await?;
            result.ok_or(error)?.status
        }
        known => known?,
    };
    let request = PurgeRequest {
        job_id: job.as_str().to_owned(),
        scope: Scope::Everything,
        asked_by: format!("{} over HTTP", client.name()),
        spare_running: false,
    };
    jobs.purge(&request).await?;
    Ok(status)
}
