//! The transcription queue's activities as Temporal calls them.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use engine::{
    events::Announcer,
    store::Store,
    temporal::{
        activity,
        contracts::{
            Prepare, PrepareInput, Prepared, TRANSCRIBE_FIRST_QUEUE, TRANSCRIBE_QUEUE, TranscribeUnit, UnitDone,
            UnitInput, UnitProgress,
        },
        worker::Queue,
    },
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio_util::sync::CancellationToken;

use crate::{model_cache::ModelCache, prepare, unit};

/// First units that a worker takes beyond those it can work on. Those of long recordings go on for a while, and must
/// not keep clips out.
const EXTRA_FIRST_UNITS: usize = 15;

/// What the activities share. Cheap to clone.
#[derive(Clone)]
pub struct TranscribeActivities {
    store: Store,
    models: Arc<ModelCache>,
    announcer: Announcer,
    stop: CancellationToken,
}

impl TranscribeActivities {
    /// `stop` is cancelled when the worker is told to end.
    pub fn new(store: Store, models: ModelCache, announcer: Announcer, stop: CancellationToken) -> Self {
        Self { store, models: Arc::new(models), announcer, stop }
    }

    /// The queues that they are served from, by a worker that can work on so many units at once.
    pub fn queues(self, units: usize) -> Vec<Queue> {
        vec![
            Queue::of_activities(TRANSCRIBE_FIRST_QUEUE, units + EXTRA_FIRST_UNITS, self.clone()),
            Queue::of_activities(TRANSCRIBE_QUEUE, units, self),
        ]
    }
}

#[activities]
impl TranscribeActivities {
    #[activity(definition = Prepare)]
    pub async fn prepare(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: PrepareInput,
    ) -> Result<Prepared, ActivityError> {
        let this = &self;
        let work = |stop| async move { prepare::prepare(&this.store, &this.models, input, &stop).await };
        activity::run(&ctx, &self.stop, || (), work).await
    }

    #[activity(definition = TranscribeUnit)]
    pub async fn transcribe_unit(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: UnitInput,
    ) -> Result<UnitDone, ActivityError> {
        let run_id = input.run.clone().or_else(|| ctx.info().workflow_run_id.clone()).unwrap_or_default();
        let done = AtomicU32::new(0);
        let progress = || UnitProgress { chunks_done: done.load(Ordering::Relaxed) };
        let (this, input, run_id, done) = (&self, &input, &run_id, &done);
        let work = |stop| async move {
            let Self { store, models, announcer, .. } = this.as_ref();
            unit::transcribe(store, models, announcer, input, run_id, done, &stop).await
        };
        activity::run(&ctx, &self.stop, progress, work).await
    }
}
