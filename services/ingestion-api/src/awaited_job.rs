//! A job whose client waits for its text on the same connection. When the client hangs up, the job is cancelled: nobody
//! would fetch what it gives.

use api::{ApiError, OwnJob};
use engine::job::JobRequest;
use tracing::Instrument;

use crate::{accepted_job::AcceptedJob, app_state::AppState, caller::Caller};

/// Dropped before it is left, it cancels the job.
pub(crate) struct AwaitedJob {
    state: AppState,
    job: OwnJob,
    is_left: bool,
}

impl AwaitedJob {
    /// Starts the job, or finds the one of the client's key.
    ///
    /// # Errors
    /// As [`AppState::submit`].
    pub(crate) async fn start(
        state: &AppState,
        caller: Caller,
        job: OwnJob,
        request: JobRequest,
    ) -> Result<Self, ApiError> {
        let this = state.clone();
        // A task of its own: whether the job was started is known also when the client has gone meanwhile.
        let starting = async move {
            let AcceptedJob { existing, .. } = this.submit(&job, &request, &caller).await?;
            let is_left = existing || caller.keeps_job();
            Ok::<_, ApiError>(Self { state: this, job, is_left })
        };
        state.uploads.unfinished.spawn(starting.in_current_span()).await.map_err(ApiError::internal)?
    }

    pub(crate) fn job(&self) -> &OwnJob {
        &self.job
    }

    /// It has ended, or is to go on without its client.
    pub(crate) fn leave(&mut self) {
        self.is_left = true;
    }
}

impl Drop for AwaitedJob {
    fn drop(&mut self) {
        // A service that stops hangs up by itself, and its clients come back.
        if self.is_left || self.state.stop.is_cancelled() {
            return;
        }
        let (state, job) = (self.state.clone(), self.job.clone());
        self.state.uploads.unfinished.spawn(async move {
            let cancelled = async { Ok::<_, ApiError>(state.temporal.jobs()?.cancel(job.as_str()).await?) };
            match cancelled.await {
                Ok(()) => tracing::info!(job = job.as_str(), "cancelled, as its client has hung up"),
                Err(error) => {
                    tracing::warn!(?error, job = job.as_str(), "not cancelled, though its client has hung up")
                }
            }
        });
    }
}
