//! What a service cannot do without, and Redis, which it can.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use engine::{
    config::{RedisSettings, StoreSettings},
    redis::{self, Redis, RedisUrlError},
    store::{Store, StoreError},
    temporal::client::{ClientError, Jobs},
};

use crate::error::ApiError;

/// Between two attempts to reach Temporal for the first time.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// The parts of the stack that a service uses; cheap to clone.
#[derive(Clone)]
pub struct Dependencies {
    pub store: Store,
    pub temporal: Temporal,
    /// Absent where none is set.
    pub redis: Option<Redis>,
}

/// Settings that name nothing usable.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Temporal(#[from] ClientError),
    #[error(transparent)]
    Redis(#[from] RedisUrlError),
}

impl Dependencies {
    /// Temporal and Redis may come later: until then the service says so.
    ///
    /// # Errors
    /// Settings that cannot be right, however long one waits.
    pub async fn open(store: &StoreSettings, redis: &RedisSettings) -> Result<Self, OpenError> {
        Ok(Self {
            store: Store::open_for_requests(store)?,
            redis: redis::open(redis)?,
            temporal: Temporal::connect().await?,
        })
    }
}

/// A connection to Temporal, which may not have been made yet.
#[derive(Clone)]
pub struct Temporal {
    jobs: Arc<OnceLock<Jobs>>,
}

impl Temporal {
    /// Tries once, and goes on trying in the background where nobody answers.
    async fn connect() -> Result<Self, ClientError> {
        let temporal = Self { jobs: Arc::default() };
        match Jobs::connect().await {
            Ok(jobs) => temporal.set_connected(jobs),
            Err(error @ ClientError::Unreachable { .. }) => {
                tracing::warn!(%error, "still trying");
                tokio::spawn(temporal.clone().keep_connecting());
            }
            Err(error) => return Err(error),
        }
        Ok(temporal)
    }

    async fn keep_connecting(self) {
        loop {
            tokio::time::sleep(RECONNECT_PAUSE).await;
            match Jobs::connect().await {
                Ok(jobs) => return self.set_connected(jobs),
                Err(error) => tracing::debug!(%error, "still trying"),
            }
        }
    }

    fn set_connected(&self, jobs: Jobs) {
        // Only one task ever connects, so nothing is there to be kept.
        drop(self.jobs.set(jobs));
    }

    /// # Errors
    /// 503 while Temporal has never been reached.
    pub fn jobs(&self) -> Result<&Jobs, ApiError> {
        self.jobs.get().ok_or_else(|| ApiError::unavailable("Temporal cannot be reached yet; try again later"))
    }
}
