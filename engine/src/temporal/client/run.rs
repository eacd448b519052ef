//! The runs of a job. One that failed or was cancelled runs once more when it is submitted again, and may be asked for
//! something else then.

use futures_util::TryStreamExt;
use temporalio_client::{NamespacedClient, WorkflowExecutionInfo, WorkflowFetchHistoryOptions, WorkflowHandle};
use temporalio_common::UntypedWorkflow;

use super::{Call, ClientError, Jobs, bounded, description, interaction};
use crate::job::JobRequest;

impl Jobs {
    /// The id of the run that goes on or was the last.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] for a job that Temporal does not know, or not any more.
    pub fn latest_run<'a>(&'a self, id: &'a str) -> Call<'a, String> {
        bounded(async move { Ok(self.describe(id).await?.run_id().to_owned()) })
    }

    /// What was asked for when the run was submitted; never changes.
    ///
    /// # Errors
    /// [`ClientError::NoRecording`] where that is no transcription.
    pub fn request<'a>(&'a self, id: &'a str, run_id: &'a str) -> Call<'a, JobRequest> {
        bounded(async move {
            let execution = WorkflowExecutionInfo::builder().namespace(self.client.namespace()).workflow_id(id);
            let execution = execution.run_id(run_id).build();
            let handle = WorkflowHandle::<_, UntypedWorkflow>::new(self.client.clone(), execution);
            let mut history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
            let first = history.try_next().await.map_err(|error| interaction(id, error))?;
            description::request(first.as_ref()).ok_or_else(|| ClientError::NoRecording { id: id.to_owned() })
        })
    }

    /// What the latest run under the id was asked for, if there was one: also after its end, as long as Temporal keeps it.
    ///
    /// # Errors
    /// As of [`Jobs::request`].
    pub fn latest_request<'a>(&'a self, id: &'a str) -> Call<'a, Option<JobRequest>> {
        Box::pin(async move {
            match self.latest_run(id).await {
                Ok(run) => self.request(id, &run).await.map(Some),
                Err(ClientError::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}
