//! Deleting a job for good.

use api::{ApiError, Client, OwnJob};
use engine::{
    erasure::{Erased, Scope},
    result::JobStatus,
    store::{Store, keys},
    temporal::{
        client::{ClientError, Jobs},
        workflows::PurgeRequest,
    },
};

/// Has the job purged, which goes on without this service. Gives its status before.
///
/// # Errors
/// 404 for a job that neither Temporal nor the store knows; 409 where less of it is being deleted, and that takes long.
pub(crate) async fn start(jobs: &Jobs, store: &Store, job: &OwnJob, client: &Client) -> Result<JobStatus, ApiError> {
    let status = match jobs.status(job.as_str()).await {
        Err(error @ ClientError::NotFound { .. }) => {
            let result = store.find_result(job.as_str()).await?.map(|result| result.status);
            // Of a batch there is a list.
            let is_batch = store.exists(&keys::batch(job.as_str())).await?;
            result.or(is_batch.then_some(JobStatus::Completed)).ok_or(error)?
        }
        known => known?,
    };
    let request = PurgeRequest {
        job_id: job.as_str().to_owned(),
        scope: Scope::Everything,
        asked_by: format!("{} over HTTP", client.name()),
        spare_running: false,
        done: Erased::default(),
    };
    jobs.purge(&request).await?;
    Ok(status)
}
