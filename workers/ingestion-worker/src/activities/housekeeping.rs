//! The housekeeping queue's activities as Temporal calls them.

use std::{sync::Arc, time::Duration};

use engine::{
    config::HousekeepingSettings,
    error::StageError,
    store::Store,
    temporal::{
        activity,
        contracts::{
            EraseInput, EraseJob, ErasedJob, Retain, RetainInput, Retained, StopInput, StopJob, Stopped, Sweep,
            SweepInput, SweepReport,
        },
        schedule::Every,
        sweep::{self, SweepError},
    },
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio_util::sync::CancellationToken;

use crate::{audit, purge, retention};

const HOUR: Duration = Duration::from_secs(3600);

/// What the activities share. Cheap to clone.
#[derive(Clone)]
pub struct HousekeepingActivities {
    store: Store,
    settings: HousekeepingSettings,
    stop: CancellationToken,
}

impl HousekeepingActivities {
    /// `stop` is cancelled when the worker is told to end.
    pub fn new(store: Store, settings: HousekeepingSettings, stop: CancellationToken) -> Self {
        Self { store, settings, stop }
    }

    /// How often the server is to start housekeeping.
    pub fn schedule(&self) -> Every {
        match self.settings.every_hours {
            0 => Every::Never,
            hours => Every::Interval { every: HOUR * hours, min_age: HOUR * self.settings.sweep_age_hours },
        }
    }

    /// Work that may be given up anywhere, and begun again.
    async fn run<T>(
        &self,
        ctx: &ActivityContext,
        work: impl Future<Output = Result<T, StageError>>,
    ) -> Result<T, ActivityError> {
        let or_stopped = |stop: CancellationToken| async move {
            stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(StageError::cancelled()))
        };
        activity::run(ctx, &self.stop, || (), or_stopped).await
    }
}

#[activities]
impl HousekeepingActivities {
    #[activity(definition = StopJob)]
    pub async fn stop_job(self: Arc<Self>, ctx: ActivityContext, input: StopInput) -> Result<Stopped, ActivityError> {
        let jobs = activity::jobs(&ctx);
        self.run(&ctx, purge::stop(&jobs, &self.store, &input)).await
    }

    #[activity(definition = EraseJob)]
    pub async fn erase_job(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: EraseInput,
    ) -> Result<ErasedJob, ActivityError> {
        let jobs = activity::jobs(&ctx);
        self.run(&ctx, purge::erase(&jobs, &self.store, &input)).await
    }

    #[activity(definition = Sweep)]
    pub async fn sweep(self: Arc<Self>, ctx: ActivityContext, input: SweepInput) -> Result<SweepReport, ActivityError> {
        let jobs = activity::jobs(&ctx);
        let min_age = Duration::from_secs(input.min_age_s);
        let swept = async {
            let found = sweep::find(&self.store, &jobs, min_age).await?;
            sweep::remove(&self.store, &jobs, found, |what, erased| audit::swept(what, &input.asked_by, erased)).await
        };
        let swept = async { swept.await.map_err(failed) };
        self.run(&ctx, swept).await
    }

    #[activity(definition = Retain)]
    pub async fn retain(self: Arc<Self>, ctx: ActivityContext, _: RetainInput) -> Result<Retained, ActivityError> {
        let jobs = activity::jobs(&ctx);
        self.run(&ctx, retention::retain(&jobs, &self.store, &self.settings)).await
    }
}

fn failed(error: SweepError) -> StageError {
    match error {
        SweepError::Store(error) => error.into(),
        SweepError::Client(error) => error.into(),
    }
}
