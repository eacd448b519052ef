//! Jobs as a client sees them: submit, follow, cancel, list.
//!
//! The futures of [`Jobs`] are boxed. The body of an `async fn` is compiled in every crate that awaits it, and below these
//! lie Temporal's client, gRPC and protocol buffers; a boxed future is compiled here, once.

mod description;
mod erasing;
mod error;
mod listing;
mod run;

use std::{fmt::Display, time::Duration};

use futures_util::future::BoxFuture;
use temporalio_client::{
    Client, ClientOptions, WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowExecutionDescription,
    WorkflowFetchHistoryOptions, WorkflowGetResultOptions, WorkflowIdConflictPolicy, WorkflowIdReusePolicy,
    WorkflowQueryOptions, WorkflowStartOptions,
    envconfig::LoadClientConfigProfileOptions,
    errors::{WorkflowGetResultError, WorkflowStartError},
    tonic::IntoRequest,
};
use temporalio_common::{UntypedWorkflow, protos::temporal::api::workflowservice::v1::GetSystemInfoRequest};
use temporalio_sdk::opentelemetry::OpenTelemetryPlugin;

use super::{
    contracts::WORKFLOW_QUEUE,
    progress::{JobKind, JobProgress},
    spans,
    workflows::{BatchRequest, BatchWorkflow, LlmRequest, LlmWorkflow, TranscribeWorkflow},
};
use crate::{job::JobRequest, llm::LlmTask, result::JobStatus};

pub use erasing::Execution;
pub use error::ClientError;
pub use listing::{BadCursor, Cursor, JobFilter, JobPage};

use error::{MAX_INPUT_BYTES, interaction, root_cause, rpc_error};

/// How long to wait for a connection before saying that nobody is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// How long a workflow may take to answer a query before its progress is shown without it.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long Temporal may take for an answer. One that hangs keeps its connections open, so nothing else would end a call.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    pub id: String,
    /// The id was taken: nothing was started, and the job is the one that holds it.
    pub existing: bool,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnd {
    pub status: JobStatus,
    /// Why it failed, for those that did.
    pub failure: Option<String>,
}

/// What has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    pub kind: JobKind,
    pub status: JobStatus,
}

/// A connection to Temporal through which jobs are handled; cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    client: Client,
}

/// A call on its way. Boxed here, so that Temporal's client is compiled once: an async function's code is generated in
/// every program that awaits it.
pub type Call<'a, T> = BoxFuture<'a, Result<T, ClientError>>;

/// A call that is over in time, whether Temporal answers or not.
fn bounded<'a, T: 'a>(call: impl Future<Output = Result<T, ClientError>> + Send + 'a) -> Call<'a, T> {
    Box::pin(async move {
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, call).await;
        answer.unwrap_or_else(|_| Err(ClientError::Silent("no answer in time".to_owned())))
    })
}

/// Connects with the settings of the `TEMPORAL_*` variables or of `temporal.toml`.
pub(super) async fn connect() -> Result<Client, ClientError> {
    crate::tls::install_provider();
    let (mut connection, options) = ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())
        .map_err(|error| ClientError::Settings(error.to_string()))?;
    connection.connect_timeout = Some(CONNECT_TIMEOUT);
    let options = if spans::are_enabled() {
        ClientOptions::new(options.namespace).plugin(OpenTelemetryPlugin::builder().build()).build()
    } else {
        options
    };
    let address = connection.target.to_string();
    let unreachable = |error: &dyn Display| ClientError::Unreachable {
        address: address.trim_end_matches('/').to_owned(),
        reason: error.to_string(),
    };
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, temporal_connection::connect(connection)).await;
    let connection =
        connected.map_err(|_| unreachable(&"no answer in time"))?.map_err(|error| unreachable(&root_cause(&error)))?;
    Client::new(connection, options).map_err(|error| ClientError::Settings(error.to_string()))
}

impl From<Client> for Jobs {
    fn from(client: Client) -> Self {
        Self { client }
    }
}

impl Jobs {
    /// # Errors
    /// [`ClientError::Unreachable`] after a few seconds without an answer.
    pub fn connect() -> Call<'static, Self> {
        Box::pin(async move { Ok(Self { client: connect().await? }) })
    }

    /// Asks Temporal whether it is there.
    pub fn ping(&self) -> Call<'_, ()> {
        bounded(async move {
            let mut service = self.client.connection().workflow_service();
            let answer = service.get_system_info(GetSystemInfoRequest::default().into_request()).await;
            answer.map(drop).map_err(|status| rpc_error(&status))
        })
    }

    /// Starts a job, or finds the one that holds the id: running or finished, it is left alone;
    /// failed or cancelled, it is started again and finds what it had finished.
    pub fn submit<'a>(&'a self, id: &'a str, request: &'a JobRequest) -> Call<'a, Submission> {
        bounded(async move {
            let input = to_input(request)?;
            self.refuse_while_purged(id).await?;
            let started = self.client.start_workflow(TranscribeWorkflow::run, input, start_unless_held(id)).await;
            submission(id, started.map(drop))
        })
    }

    /// Starts a batch, or finds the running one that holds the id. One that has ended is run
    /// again: what it finished is left alone, what failed is tried once more.
    pub fn submit_batch<'a>(&'a self, id: &'a str, batch: &'a BatchRequest) -> Call<'a, Submission> {
        bounded(async move {
            self.refuse_while_purged(id).await?;
            let started = self.client.start_workflow(BatchWorkflow::run, to_input(batch)?, start_again(id)).await;
            submission(id, started.map(drop))
        })
    }

    /// Runs an LLM task on a finished job's transcript, or finds the running one of the same name,
    /// which for a question may be another question.
    pub fn submit_llm<'a>(&'a self, job_id: &'a str, task: &'a LlmTask) -> Call<'a, Submission> {
        bounded(async move {
            let id = format!("{job_id}.llm.{}", task.name());
            let input = to_input(&LlmRequest { job_id: job_id.to_owned(), task: task.clone() })?;
            self.refuse_while_purged(job_id).await?;
            let started = self.client.start_workflow(LlmWorkflow::run, input, start_again(&id)).await;
            submission(&id, started.map(drop))
        })
    }

    /// Where a job stands. A running workflow is asked; if no worker answers for it, what the
    /// server knows is given alone.
    pub fn progress<'a>(&'a self, id: &'a str) -> Call<'a, JobProgress> {
        bounded(async move {
            let mut progress = description::progress(id, &self.describe(id).await?);
            if progress.status == JobStatus::Running {
                // All workflows of the project answer this one query.
                let handle = self.client.get_workflow_handle::<TranscribeWorkflow>(id);
                let query = handle.query(TranscribeWorkflow::progress, (), WorkflowQueryOptions::default());
                if let Ok(Ok(reported)) = tokio::time::timeout(QUERY_TIMEOUT, query).await {
                    description::add_workflow_progress(&mut progress, reported);
                }
            }
            Ok(progress)
        })
    }

    /// How a job stands or ended, without asking its workflow.
    pub fn status<'a>(&'a self, id: &'a str) -> Call<'a, JobStatus> {
        bounded(async move { Ok(description::status(&self.describe(id).await?)) })
    }

    /// What has the id; `None` where Temporal knows nothing of it, or not any more.
    pub fn holder<'a>(&'a self, id: &'a str) -> Call<'a, Option<Holder>> {
        bounded(async move {
            match self.describe(id).await {
                Ok(described) => {
                    let JobProgress { kind, status, .. } = description::progress(id, &described);
                    Ok(Some(Holder { kind, status }))
                }
                Err(ClientError::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn describe<'a>(&'a self, id: &'a str) -> Call<'a, WorkflowExecutionDescription> {
        bounded(async move {
            let handle = self.client.get_workflow_handle::<UntypedWorkflow>(id);
            let described = handle.describe(WorkflowDescribeOptions::default()).await;
            described.map_err(|error| interaction(id, error))
        })
    }

    /// Waits for a job's end, however long it takes.
    pub fn wait<'a>(&'a self, id: &'a str) -> Call<'a, JobEnd> {
        Box::pin(async move {
            let handle = self.client.get_workflow_handle::<UntypedWorkflow>(id);
            let failure = match handle.get_result(WorkflowGetResultOptions::default()).await {
                Err(WorkflowGetResultError::NotFound(_)) => return Err(ClientError::NotFound { id: id.to_owned() }),
                Err(WorkflowGetResultError::Rpc(status)) => return Err(rpc_error(&status)),
                Err(WorkflowGetResultError::Failed(failure)) => Some(failure.to_string()),
                Err(WorkflowGetResultError::Terminated { .. }) => {
                    Some("its workflow was terminated from outside".to_owned())
                }
                // How it ended is read from the description, which knows all ends alike.
                _ => None,
            };
            Ok(JobEnd { status: self.status(id).await?, failure })
        })
    }

    /// Asks a running job to stop; what it has finished stays in the store.
    pub fn cancel<'a>(&'a self, id: &'a str) -> Call<'a, ()> {
        bounded(async move {
            let handle = self.client.get_workflow_handle::<UntypedWorkflow>(id);
            let requested = handle.cancel(WorkflowCancelOptions::builder().reason("asked by the user").build()).await;
            requested.map_err(|error| interaction(id, error))
        })
    }

    /// A finished or running job's whole history as Temporal's JSON, as the replay tests record it.
    pub fn history<'a>(&'a self, id: &'a str) -> Call<'a, Vec<u8>> {
        Box::pin(async move {
            let handle = self.client.get_workflow_handle::<UntypedWorkflow>(id);
            let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
            history.to_json().await.map_err(|error| ClientError::Refused(error.to_string()))
        })
    }
}

fn start_unless_held(id: &str) -> WorkflowStartOptions {
    WorkflowStartOptions::new(WORKFLOW_QUEUE, id)
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicateFailedOnly)
        .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
        .build()
}

fn start_again(id: &str) -> WorkflowStartOptions {
    WorkflowStartOptions::new(WORKFLOW_QUEUE, id)
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate)
        .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
        .build()
}

/// Whether a job may be started with the request.
///
/// # Errors
/// [`ClientError::TooLong`].
pub(super) fn refuse_long_request(request: &JobRequest) -> Result<(), ClientError> {
    to_input(request).map(drop)
}

fn to_input<T: serde::Serialize>(request: &T) -> Result<serde_json::Value, ClientError> {
    let input = serde_json::to_value(request).map_err(|error| ClientError::Refused(error.to_string()))?;
    let bytes = input.to_string().len();
    if bytes > MAX_INPUT_BYTES {
        return Err(ClientError::TooLong { bytes });
    }
    Ok(input)
}

fn submission(id: &str, started: Result<(), WorkflowStartError>) -> Result<Submission, ClientError> {
    let existing = match started {
        Ok(()) => false,
        Err(WorkflowStartError::AlreadyStarted { .. }) => true,
        Err(WorkflowStartError::Rpc(status)) => return Err(rpc_error(&status)),
        Err(error) => return Err(ClientError::Refused(error.to_string())),
    };
    Ok(Submission { id: id.to_owned(), existing })
}
