//! Making jobs disappear: the purge as a workflow, and what Temporal knows of a job.

use futures_util::{TryStreamExt, future::try_join_all};
use temporalio_client::{
    NamespacedClient, WorkflowExecutionStatus, WorkflowGetResultOptions, WorkflowListOptions,
    errors::{WorkflowGetResultError, WorkflowStartError},
    tonic::IntoRequest,
};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution as ExecutionName, workflowservice::v1::DeleteWorkflowExecutionRequest,
};

use super::{
    Call, ClientError, Jobs,
    error::{listing_failed, rpc_error},
    start_again, to_input,
};
use crate::{
    ids::JobId,
    job::Source,
    llm::LlmTask,
    temporal::workflows::{
        HousekeepingReport, HousekeepingRequest, HousekeepingWorkflow, PurgeOutcome, PurgeRequest, PurgeWorkflow,
    },
};

/// No job's name has a slash, so no job ever has the id of a purge.
const PURGE: &str = "purge/";
const HOUSEKEEPING: &str = "housekeeping/asked";

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    pub id: String,
    pub run_id: String,
    pub is_open: bool,
}

impl Jobs {
    /// Has a job purged: from now on its name is nobody's until it is gone. One that is being purged goes on.
    pub fn purge<'a>(&'a self, request: &'a PurgeRequest) -> Call<'a, ()> {
        Box::pin(async move {
            let options = start_again(&purge_id(&request.job_id));
            match self.client.start_workflow(PurgeWorkflow::run, to_input(request)?, options).await {
                Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(()),
                Err(WorkflowStartError::Rpc(status)) => Err(rpc_error(&status)),
                Err(error) => Err(ClientError::Refused(error.to_string())),
            }
        })
    }

    /// Waits until a job that is being purged is gone.
    pub fn purged<'a>(&'a self, job_id: &'a str) -> Call<'a, PurgeOutcome> {
        Box::pin(async move {
            let handle = self.client.get_workflow_handle::<PurgeWorkflow>(purge_id(job_id));
            handle.get_result(WorkflowGetResultOptions::default()).await.map_err(|error| ended(job_id, &error))
        })
    }

    /// Whether a job is being purged.
    pub fn is_being_purged<'a>(&'a self, job_id: &'a str) -> Call<'a, bool> {
        Box::pin(async move {
            match self.describe(&purge_id(job_id)).await {
                Ok(described) => Ok(described.status() == WorkflowExecutionStatus::Running),
                Err(ClientError::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    /// What is begun under the name of a job that is being purged would go with it.
    ///
    /// # Errors
    /// [`ClientError::BeingPurged`].
    pub fn refuse_while_purged<'a>(&'a self, job_id: &'a str) -> Call<'a, ()> {
        Box::pin(async move {
            if self.is_being_purged(job_id).await? {
                return Err(ClientError::BeingPurged { id: job_id.to_owned() });
            }
            Ok(())
        })
    }

    /// Sweeps the store now, and waits for the end; or for that of a sweep that somebody else has asked for.
    pub fn housekeep<'a>(&'a self, request: &'a HousekeepingRequest) -> Call<'a, HousekeepingReport> {
        Box::pin(async move {
            match self
                .client
                .start_workflow(HousekeepingWorkflow::run, to_input(request)?, start_again(HOUSEKEEPING))
                .await
            {
                Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => {}
                Err(WorkflowStartError::Rpc(status)) => return Err(rpc_error(&status)),
                Err(error) => return Err(ClientError::Refused(error.to_string())),
            }
            let handle = self.client.get_workflow_handle::<HousekeepingWorkflow>(HOUSEKEEPING);
            handle.get_result(WorkflowGetResultOptions::default()).await.map_err(|error| ended(HOUSEKEEPING, &error))
        })
    }

    /// Everything that Temporal knows of a job: messages about its end and LLM tasks that were asked again, then the runs
    /// of the job itself.
    pub fn executions<'a>(&'a self, job: &'a JobId) -> Call<'a, Vec<Execution>> {
        Box::pin(async move {
            let mut own = self.runs(job.as_str(), "").await?;
            let messages = own.iter().map(|run| format!("{job}.{}.webhook", run.run_id));
            let messages = messages.chain([format!("{job}.webhook")]).map(|id| (id, "deliver"));
            let tasks = LlmTask::NAMES.iter().map(|task| (format!("{job}.llm.{task}"), "llm"));
            let derived: Vec<_> = messages.chain(tasks).collect();
            let found = try_join_all(derived.iter().map(|(id, kind)| self.runs(id, kind))).await?;
            let mut all: Vec<Execution> = found.into_iter().flatten().collect();
            all.append(&mut own);
            Ok(all)
        })
    }

    /// All runs of an id, of a type where one is named: a job may have the name of what belongs to another.
    async fn runs(&self, id: &str, kind: &str) -> Result<Vec<Execution>, ClientError> {
        // The list may lag behind a moment, and then does not tell of an id that has just been taken.
        let mut found: Vec<Execution> = self.latest(id, kind).await?.into_iter().collect();
        let mut listed = self.client.list_workflows(format!("WorkflowId = '{id}'"), WorkflowListOptions::default());
        while let Some(execution) = listed.try_next().await.map_err(listing_failed)? {
            let is_new = found.iter().all(|known| known.run_id != execution.run_id());
            if is_new && (kind.is_empty() || execution.workflow_type() == kind) {
                let is_open = execution.status() == WorkflowExecutionStatus::Running;
                found.push(Execution { id: id.to_owned(), run_id: execution.run_id().to_owned(), is_open });
            }
        }
        Ok(found)
    }

    async fn latest(&self, id: &str, kind: &str) -> Result<Option<Execution>, ClientError> {
        let described = match self.describe(id).await {
            Ok(described) => described,
            Err(ClientError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_open = described.status() == WorkflowExecutionStatus::Running;
        let execution = Execution { id: id.to_owned(), run_id: described.run_id().to_owned(), is_open };
        Ok((kind.is_empty() || described.workflow_type() == kind).then_some(execution))
    }

    /// The sources of all transcriptions that go on.
    pub fn running_sources(&self) -> Call<'_, Vec<Source>> {
        Box::pin(async move {
            let mut sources = Vec::new();
            for execution in self.running("transcribe").await? {
                match self.request(&execution.id, &execution.run_id).await {
                    Ok(request) => sources.push(request.source),
                    // It has ended and is forgotten, or its input was no request.
                    Err(ClientError::NotFound { .. } | ClientError::NoRecording { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(sources)
        })
    }

    /// The batches that go on.
    pub fn running_batches(&self) -> Call<'_, Vec<JobId>> {
        Box::pin(async move {
            let running = self.running("batch").await?;
            Ok(running.into_iter().filter_map(|execution| execution.id.parse().ok()).collect())
        })
    }

    async fn running(&self, kind: &str) -> Result<Vec<Execution>, ClientError> {
        let query = format!("WorkflowType = '{kind}' AND ExecutionStatus = 'Running'");
        let listed = self.client.list_workflows(query, WorkflowListOptions::default());
        let executions = listed.map_ok(|execution| Execution {
            id: execution.id().to_owned(),
            run_id: execution.run_id().to_owned(),
            is_open: true,
        });
        executions.try_collect().await.map_err(listing_failed)
    }

    /// Makes Temporal forget a run, and ends it where it goes on. One that it has forgotten already is none the worse.
    pub fn forget<'a>(&'a self, execution: &'a Execution) -> Call<'a, ()> {
        Box::pin(async move {
            let name = ExecutionName { workflow_id: execution.id.clone(), run_id: execution.run_id.clone() };
            let request =
                DeleteWorkflowExecutionRequest { namespace: self.client.namespace(), workflow_execution: Some(name) };
            let mut service = self.client.connection().workflow_service();
            match service.delete_workflow_execution(request.into_request()).await {
                Ok(_) => Ok(()),
                Err(status) if status.code() == temporalio_client::tonic::Code::NotFound => Ok(()),
                Err(status) => Err(rpc_error(&status)),
            }
        })
    }
}

fn purge_id(job_id: &str) -> String {
    format!("{PURGE}{job_id}")
}

fn ended(id: &str, error: &WorkflowGetResultError) -> ClientError {
    match error {
        WorkflowGetResultError::NotFound(_) => ClientError::NotFound { id: id.to_owned() },
        WorkflowGetResultError::Rpc(status) => rpc_error(status),
        other => ClientError::Refused(other.to_string()),
    }
}
