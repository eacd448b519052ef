//! What the worker programs have in common, from their settings to their end.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    config::{HealthSettings, StoreSettings, TelemetrySettings},
    health::{self, HealthError},
    redis::RedisUrlError,
    signal,
    store::{Store, StoreError},
    telemetry::{self, TelemetryError},
    temporal::worker::{self, Queue, WorkerError},
};

/// How long threads get, when all else has ended, that cannot be told to stop: they hash or quantise a model, which is
/// done again.
const LAST_THREADS: Duration = Duration::from_secs(1);

/// A worker program, and what all of them are told.
pub struct WorkerProgram {
    /// For its traces.
    pub name: &'static str,
    pub telemetry: TelemetrySettings,
    pub health: HealthSettings,
    pub store: StoreSettings,
}

/// Makes the program's queues out of the store and of a token that is cancelled when the process is told to stop.
pub type Queues<'a> = Box<dyn FnOnce(Store, CancellationToken) -> Result<Vec<Queue>, ProgramError> + 'a>;

/// Why a program could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error("the program cannot run: {0}")]
    Runtime(#[from] std::io::Error),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Redis(#[from] RedisUrlError),
    #[error(transparent)]
    Health(#[from] HealthError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

impl WorkerProgram {
    /// Runs until the process is told to stop, or only asks the worker that runs here whether it works. Brings the async
    /// runtime along, so that all of this is compiled once and not in every worker.
    ///
    /// # Errors
    /// Settings that do not make sense, or a worker that cannot start or go on.
    pub fn run(self, only_ask_health: bool, queues: Queues<'_>) -> Result<(), ProgramError> {
        let runtime = tokio::runtime::Runtime::new()?;
        let ended = runtime.block_on(async {
            if only_ask_health {
                return Ok(health::ask(&self.health).await?);
            }
            self.serve(queues).await
        });
        runtime.shutdown_timeout(LAST_THREADS);
        ended
    }

    async fn serve(self, queues: Queues<'_>) -> Result<(), ProgramError> {
        let _telemetry = telemetry::start(&self.telemetry, self.name)?;
        let stop = signal::stop_token();
        let queues = queues(Store::open(&self.store)?, stop.clone())?;
        Ok(worker::serve(queues, &self.health, &self.telemetry, stop).await?)
    }
}
