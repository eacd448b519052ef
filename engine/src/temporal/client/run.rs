//! The runs of a job. One that failed or was cancelled runs once more when it is submitted again, and may be asked for
//! something else then. Temporal counts a long job as several runs; here they are the one that was submitted.

use futures_util::TryStreamExt;
use temporalio_client::{NamespacedClient, WorkflowExecutionInfo, WorkflowFetchHistoryOptions, WorkflowHandle};
use temporalio_common::{UntypedWorkflow, protos::temporal::api::history::v1::HistoryEvent};

use super::{Call, ClientError, Jobs, bounded, description, interaction};
use crate::job::JobRequest;

impl Jobs {
    /// The id of the run that goes on or was the last.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] for a job that Temporal does not know, or not any more.
    pub fn latest_run<'a>(&'a self, id: &'a str) -> Call<'a, String> {
        bounded(async move { Ok(description::run_id(&self.describe(id).await?)) })
    }

    /// What was asked for when the run was submitted; never changes.
    ///
    /// # Errors
    /// [`ClientError::NoRecording`] where that is no transcription.
    pub fn request<'a>(&'a self, id: &'a str, run_id: &'a str) -> Call<'a, JobRequest> {
        bounded(async move {
            let first = match self.first_event(id, Some(run_id)).await {
                // Temporal forgets the beginning of a job that goes on for longer than histories are kept; its later
                // parts have the request, too.
                Err(ClientError::NotFound { .. }) => self.first_event(id, None).await?,
                found => found?,
            };
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

    async fn first_event(&self, id: &str, run_id: Option<&str>) -> Result<Option<HistoryEvent>, ClientError> {
        let execution = WorkflowExecutionInfo::builder().namespace(self.client.namespace()).workflow_id(id);
        let execution = execution.maybe_run_id(run_id).build();
        let handle = WorkflowHandle::<_, UntypedWorkflow>::new(self.client.clone(), execution);
        let mut history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
        history.try_next().await.map_err(|error| interaction(id, error))
    }
}
