//! Making jobs disappear: the purge as a workflow, and what Temporal knows of a job.

use std::time::Duration;

use futures_util::{
    StreamExt, TryStreamExt,
    future::{try_join, try_join_all},
};
use temporalio_client::{
    NamespacedClient, WorkflowExecution, WorkflowExecutionStatus, WorkflowGetResultOptions, WorkflowIdConflictPolicy,
    WorkflowIdReusePolicy, WorkflowListOptions, WorkflowStartOptions,
    errors::{WorkflowGetResultError, WorkflowStartError},
    tonic::IntoRequest,
};
use temporalio_common::{
    MemoValues,
    protos::temporal::api::{
        common::v1::WorkflowExecution as ExecutionName, workflowservice::v1::DeleteWorkflowExecutionRequest,
    },
};
use tokio::time::Instant;

use super::{
    Call, ClientError, Jobs,
    error::{listing_failed, rpc_error},
    start_again, to_input,
};
use crate::{
    ids::JobId,
    job::Source,
    llm::LlmTask,
    temporal::{
        contracts::WORKFLOW_QUEUE,
        workflows::{
            EVERYTHING, EXTENT_MEMO, HousekeepingReport, HousekeepingRequest, HousekeepingWorkflow, PurgeOutcome,
            PurgeRequest, PurgeWorkflow,
        },
    },
};

/// No job's name has a slash, so no job ever has the id of a purge.
const PURGE: &str = "purge/";
const HOUSEKEEPING: &str = "housekeeping/asked";

/// How long one who wants a job gone waits for a purge that takes less of it.
const LESSER_PURGE: Duration = Duration::from_secs(8);

/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(200);

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    pub id: String,
    pub run_id: String,
    /// The workflow's type.
    pub kind: String,
    pub is_open: bool,
}

/// Which runs are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    Open,
}

impl From<WorkflowExecution> for Execution {
    fn from(execution: WorkflowExecution) -> Self {
        Self {
            id: execution.id().to_owned(),
            run_id: execution.run_id().to_owned(),
            kind: execution.workflow_type().to_owned(),
            is_open: execution.status() == WorkflowExecutionStatus::Running,
        }
    }
}

impl Jobs {
    /// Has a job purged: from now on its name is nobody's until it is gone. One that is being purged goes on; where less
    /// of it was to go, that is ended first.
    ///
    /// # Errors
    /// [`ClientError::BeingPurged`] where that takes long.
    pub fn purge<'a>(&'a self, request: &'a PurgeRequest) -> Call<'a, ()> {
        Box::pin(async move {
            let began = Instant::now();
            loop {
                let options = start_purge(request);
                match self.client.start_workflow(PurgeWorkflow::run, to_input(request)?, options).await {
                    Ok(_) => return Ok(()),
                    Err(WorkflowStartError::AlreadyStarted { .. }) => {}
                    Err(WorkflowStartError::Rpc(status)) => return Err(rpc_error(&status)),
                    Err(error) => return Err(ClientError::Refused(error.to_string())),
                }
                match self.running_purge(&request.job_id).await? {
                    Some(running) if running == EVERYTHING || running == request.extent() => return Ok(()),
                    Some(_) if began.elapsed() > LESSER_PURGE => {
                        return Err(ClientError::BeingPurged { id: request.job_id.clone() });
                    }
                    Some(_) => tokio::time::sleep(PAUSE).await,
                    None => {}
                }
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

    /// Whether a worker has taken up the purge of a job, or ended it.
    pub fn purge_is_taken_up<'a>(&'a self, job_id: &'a str) -> Call<'a, bool> {
        /// The server's own: that it was started, and that a worker is wanted.
        const OF_THE_SERVER: usize = 2;
        Box::pin(async move {
            match self.describe(&purge_id(job_id)).await {
                Ok(described) => Ok(described.history_length() > OF_THE_SERVER),
                Err(ClientError::NotFound { .. }) => Ok(true),
                Err(error) => Err(error),
            }
        })
    }

    /// Whether a job is being purged, by itself or with its batch.
    pub fn is_being_purged<'a>(&'a self, job_id: &'a str) -> Call<'a, bool> {
        Box::pin(async move { Ok(!self.purges(job_id).await?.is_empty()) })
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

    /// A job that is certain to go is shown to nobody any more, whatever is left of it.
    ///
    /// # Errors
    /// [`ClientError::BeingPurged`].
    pub fn refuse_deleted<'a>(&'a self, job_id: &'a str) -> Call<'a, ()> {
        Box::pin(async move {
            if self.purges(job_id).await?.iter().any(|extent| extent == EVERYTHING) {
                return Err(ClientError::BeingPurged { id: job_id.to_owned() });
            }
            Ok(())
        })
    }

    /// How much goes with the purges that take something of the job.
    async fn purges(&self, job_id: &str) -> Result<Vec<String>, ClientError> {
        let batch = job_id.parse::<JobId>().ok().and_then(|job| job.batch());
        let of_batch = async {
            match &batch {
                Some(batch) => self.running_purge(batch.as_str()).await,
                None => Ok(None),
            }
        };
        let (own, of_batch) = try_join(self.running_purge(job_id), of_batch).await?;
        // A batch has no recording of its own.
        let of_batch = of_batch.filter(|extent| extent == EVERYTHING);
        Ok(own.into_iter().chain(of_batch).collect())
    }

    /// How much goes with the purge of this id that goes on.
    async fn running_purge(&self, job_id: &str) -> Result<Option<String>, ClientError> {
        match self.describe(&purge_id(job_id)).await {
            Ok(described) if described.status() == WorkflowExecutionStatus::Running => {
                // Purges of before this was told take everything.
                let told = described.memo().get::<String>(EXTENT_MEMO).ok().flatten();
                Ok(Some(told.unwrap_or_else(|| EVERYTHING.to_owned())))
            }
            Ok(_) | Err(ClientError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
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
            let tasks = LlmTask::NAMES.iter().map(|task| format!("{job}.llm.{task}"));
            let ids: Vec<_> = [job.to_string(), format!("{job}.webhook")].into_iter().chain(tasks).collect();
            // The list may lag behind a moment, and then does not tell of an id that has just been taken.
            let (latest, listed) = try_join(self.latest(job.as_str(), ""), self.listed(with_ids(&ids))).await?;
            let (own, mut all): (Vec<_>, Vec<_>) = listed.into_iter().partition(|run| run.id == job.as_str());
            let own = with_latest(own, latest);
            let messages: Vec<_> = own.iter().map(|run| format!("{job}.{}.webhook", run.run_id)).collect();
            if !messages.is_empty() {
                let latest = try_join_all(messages.iter().map(|id| self.latest(id, "deliver")));
                let (latest, listed) = try_join(latest, self.listed(with_ids(&messages))).await?;
                all.extend(latest.into_iter().fold(listed, with_latest));
            }
            // A job may have the name of what belongs to another.
            all.retain(|run| matches!(run.kind.as_str(), "deliver" | "llm"));
            all.extend(own);
            Ok(all)
        })
    }

    /// What Temporal knows of the jobs that any run of a batch has begun, with the job that it belongs to: at most so many
    /// runs, in no order.
    pub fn executions_in_batch<'a>(
        &'a self,
        batch: &'a JobId,
        which: Which,
        most: usize,
    ) -> Call<'a, Vec<(JobId, Execution)>> {
        Box::pin(async move {
            let mut query = format!("WorkflowId STARTS_WITH '{batch}.'");
            if which == Which::Open {
                query.push_str(" AND ExecutionStatus = 'Running'");
            }
            let listed = self.client.list_workflows(query, WorkflowListOptions::default()).map_ok(Execution::from);
            let of_batch = listed.try_filter_map(|execution| async move {
                Ok(batch.job_of_batch(&execution.id).map(|job| (job, execution)))
            });
            of_batch.take(most).try_collect().await.map_err(listing_failed)
        })
    }

    async fn listed(&self, query: String) -> Result<Vec<Execution>, ClientError> {
        let listed = self.client.list_workflows(query, WorkflowListOptions::default());
        listed.map_ok(Execution::from).try_collect().await.map_err(listing_failed)
    }

    async fn latest(&self, id: &str, kind: &str) -> Result<Option<Execution>, ClientError> {
        let described = match self.describe(id).await {
            Ok(described) => described,
            Err(ClientError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_open = described.status() == WorkflowExecutionStatus::Running;
        let known = described.workflow_type().to_owned();
        let execution = Execution { id: id.to_owned(), run_id: described.run_id().to_owned(), kind: known, is_open };
        Ok((kind.is_empty() || execution.kind == kind).then_some(execution))
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
        self.listed(query).await
    }

    /// Makes Temporal forget a run, and ends it where it goes on. False for one that it has forgotten already.
    pub fn forget<'a>(&'a self, execution: &'a Execution) -> Call<'a, bool> {
        Box::pin(async move {
            let name = ExecutionName { workflow_id: execution.id.clone(), run_id: execution.run_id.clone() };
            let request =
                DeleteWorkflowExecutionRequest { namespace: self.client.namespace(), workflow_execution: Some(name) };
            let mut service = self.client.connection().workflow_service();
            match service.delete_workflow_execution(request.into_request()).await {
                Ok(_) => Ok(true),
                Err(status) if status.code() == temporalio_client::tonic::Code::NotFound => Ok(false),
                Err(status) => Err(rpc_error(&status)),
            }
        })
    }
}

fn with_ids(ids: &[String]) -> String {
    format!("WorkflowId IN ('{}')", ids.join("', '"))
}

fn with_latest(mut runs: Vec<Execution>, latest: Option<Execution>) -> Vec<Execution> {
    // It was asked for by its id, and so is as it is now.
    runs.retain(|run| latest.as_ref().is_none_or(|latest| latest.run_id != run.run_id));
    runs.extend(latest);
    runs
}

fn start_purge(request: &PurgeRequest) -> WorkflowStartOptions {
    let mut memo = MemoValues::new();
    memo.insert(EXTENT_MEMO, request.extent().to_owned());
    WorkflowStartOptions::new(WORKFLOW_QUEUE, purge_id(&request.job_id))
        .memo(memo)
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate)
        .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
        .build()
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
