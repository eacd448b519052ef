//! One worker process: its connection, its slots, its stop signal and an orderly end.

use std::{net::SocketAddr, time::Duration};

use temporalio_client::Client;
use temporalio_common::{
    telemetry::TelemetryOptions,
    worker::{VersioningBehavior, WorkerDeploymentOptions, WorkerDeploymentVersion},
};
use temporalio_sdk::{
    Runtime, Worker, WorkerOptions,
    activities::ActivityImplementer,
    runtime::{
        RuntimeOptions,
        worker_tuner::{FixedSizeSlotSupplier, TunerHolder},
    },
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{HealthSettings, TelemetrySettings, WorkflowSettings},
    health::{self, Health, HealthError},
};

use super::{
    client::{ClientError, connect},
    contracts::WORKFLOW_QUEUE,
    metrics,
    schedule::{self, Every},
    workflows::{BatchWorkflow, DeliverWorkflow, HousekeepingWorkflow, LlmWorkflow, PurgeWorkflow, TranscribeWorkflow},
};

/// After a stop signal, how long running activities get before they are cut off.
const GRACE: Duration = Duration::from_secs(8);

/// Upper bound between two heartbeats that reach the server. A cancel comes back with one of them,
/// so this, and not the heartbeat time-out, decides how late it is.
const HEARTBEAT_THROTTLE: Duration = Duration::from_millis(400);

/// Between two attempts to reach the server.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What Temporal knows the versions of the workflows' workers by.
const DEPLOYMENT: &str = "longhand";

/// Workflow tasks worked on at the same time; each takes milliseconds.
const WORKFLOW_SLOTS: usize = 50;

/// Why a worker could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Health(#[from] HealthError),
    #[error("metrics cannot be served at {address}: {reason}; LONGHAND_METRICS_ADDRESS names it")]
    Metrics { address: SocketAddr, reason: String },
    #[error("stopped before Temporal could be reached")]
    Stopped,
    #[error("the worker cannot run: {0}")]
    Sdk(Box<dyn std::error::Error + Send + Sync>),
}

/// A task queue with what serves it.
pub struct Queue {
    options: WorkerOptions,
    /// How often housekeeping is done by those who serve the queue.
    housekeeping: Option<Every>,
}

impl Queue {
    /// Activities, so many at the same time.
    pub fn of_activities<A: ActivityImplementer + Send + Sync + 'static>(
        name: &str,
        slots: usize,
        activities: A,
    ) -> Self {
        Self::with(activity_options(name, slots), activities)
    }

    /// All workflows, with the activities that they run in place.
    ///
    /// # Errors
    /// The SDK refuses a workflow.
    pub fn of_workflows<A: ActivityImplementer + Send + Sync + 'static>(
        settings: &WorkflowSettings,
        activities: A,
    ) -> Result<Self, WorkerError> {
        Ok(Self::with(workflow_options(settings)?, activities))
    }

    /// Has the server start housekeeping so often, or never.
    #[must_use]
    pub fn with_housekeeping(self, every: Every) -> Self {
        Self { housekeeping: Some(every), ..self }
    }

    fn with<A: ActivityImplementer + Send + Sync + 'static>(mut options: WorkerOptions, activities: A) -> Self {
        options.register_activities(activities);
        Self { options, housekeeping: None }
    }
}

/// Serves the queues until `stop` is cancelled.
pub(crate) async fn serve(
    queues: Vec<Queue>,
    health: &HealthSettings,
    telemetry: &TelemetrySettings,
    stop: CancellationToken,
) -> Result<(), WorkerError> {
    Process::start(health, telemetry, stop).await?.serve(queues).await
}

fn activity_options(queue: &str, slots: usize) -> WorkerOptions {
    WorkerOptions::new(queue)
        .tuner(slot_numbers(0, slots))
        .max_cached_workflows(0)
        .max_heartbeat_throttle_interval(HEARTBEAT_THROTTLE)
        .graceful_shutdown_period(GRACE)
        .build()
}

fn workflow_options(settings: &WorkflowSettings) -> Result<WorkerOptions, WorkerError> {
    let version = settings.version.as_deref().filter(|version| !version.is_empty());
    let options = WorkerOptions::new(WORKFLOW_QUEUE)
        .maybe_deployment_options(version.map(of_version))
        .tuner(slot_numbers(WORKFLOW_SLOTS, 0))
        .graceful_shutdown_period(GRACE)
        .register_workflow::<TranscribeWorkflow>()
        .and_then(|options| options.register_workflow::<LlmWorkflow>())
        .and_then(|options| options.register_workflow::<BatchWorkflow>())
        .and_then(|options| options.register_workflow::<DeliverWorkflow>())
        .and_then(|options| options.register_workflow::<PurgeWorkflow>())
        .and_then(|options| options.register_workflow::<HousekeepingWorkflow>())
        .map_err(sdk)?;
    Ok(options.build())
}

/// A workflow's history is only sure to replay on the code that made it. Activities have no such memory: their queues
/// know no versions.
fn of_version(version: &str) -> WorkerDeploymentOptions {
    let version = WorkerDeploymentVersion::builder().deployment_name(DEPLOYMENT).build_id(version).build();
    WorkerDeploymentOptions::new(version)
        .use_worker_versioning(true)
        .default_versioning_behavior(VersioningBehavior::Pinned)
        .build()
}

/// Slots are fixed numbers: the SDK's default of 100 activities would start 100 recognisers. Each workflow may run an
/// activity in place.
fn slot_numbers(workflows: usize, activities: usize) -> TunerHolder {
    TunerHolder::builder()
        .workflow_task_slot_supplier(FixedSizeSlotSupplier::new(workflows.max(1)))
        .activity_task_slot_supplier(FixedSizeSlotSupplier::new(activities.max(1)))
        .local_activity_task_slot_supplier(FixedSizeSlotSupplier::new(workflows.max(1)))
        .nexus_task_slot_supplier(FixedSizeSlotSupplier::new(1))
        .build()
}

struct Process {
    runtime: Runtime,
    client: Client,
    stop: CancellationToken,
    health: watch::Sender<Health>,
}

impl Process {
    async fn start(
        health: &HealthSettings,
        telemetry: &TelemetrySettings,
        stop: CancellationToken,
    ) -> Result<Self, WorkerError> {
        let health = health::answer(health)?;
        let runtime = Runtime::from_current_tokio(runtime_options(telemetry)?).map_err(sdk)?;
        let client = tokio::select! {
            client = connect_with_retries() => client?,
            () = stop.cancelled() => return Err(WorkerError::Stopped),
        };
        Ok(Self { runtime, client, stop, health })
    }

    async fn serve(self, queues: Vec<Queue>) -> Result<(), WorkerError> {
        let mut workers = Vec::with_capacity(queues.len());
        for Queue { options, housekeeping } in queues {
            if let Some(every) = housekeeping {
                tokio::spawn(schedule::ensure(self.client.clone(), every));
            }
            workers.push(Worker::new(&self.runtime, self.client.clone(), options).map_err(sdk)?);
        }
        let handles: Vec<_> = workers.iter().map(Worker::shutdown_handle).collect();
        let (stop, state) = (self.stop.clone(), self.health.clone());
        tokio::spawn(async move {
            stop.cancelled().await;
            state.send_replace(Health::Stopping);
            handles.iter().for_each(|shut_down| shut_down());
        });
        tracing::info!(pid = std::process::id(), "worker ready");
        self.health.send_replace(Health::Ready);
        let ended = futures_util::future::try_join_all(workers.iter_mut().map(Worker::run)).await;
        self.stop.cancel();
        ended.map(drop).map_err(sdk)
    }
}

fn runtime_options(telemetry: &TelemetrySettings) -> Result<RuntimeOptions, WorkerError> {
    let meter = telemetry.metrics_address.map(|address| {
        metrics::serve(address).map_err(|error| WorkerError::Metrics { address, reason: error.to_string() })
    });
    let options = TelemetryOptions::builder().maybe_metrics(meter.transpose()?).build();
    RuntimeOptions::builder().telemetry_options(options).build().map_err(sdk)
}

/// A worker may be up before its server, and that is no reason to die.
async fn connect_with_retries() -> Result<Client, ClientError> {
    loop {
        match connect().await {
            Err(error @ ClientError::Unreachable { .. }) => tracing::warn!(%error, "still trying"),
            connected => return connected,
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

fn sdk(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> WorkerError {
    WorkerError::Sdk(error.into())
}
