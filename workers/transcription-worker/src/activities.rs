//! The transcription queue's activities as Temporal calls them.

use std::sync::{Arc, atomic::Ordering};

use engine::{
    events::Announcer,
    store::Store,
    temporal::{
        activity,
        contracts::{
            Prepare, PrepareInput, PrepareProgress, Prepared, TRANSCRIBE_FIRST_QUEUE, TRANSCRIBE_QUEUE, TranscribeUnit,
            UnitDone, UnitInput, UnitProgress,
        },
        waiting_activity::run_without_slot,
        worker::Queue,
    },
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    downloads::AwaitedDownload,
    model_cache::ModelCache,
    prepare,
    unit::{self, UnitState},
};

/// First units that a worker takes beyond those it can work on. Those of long recordings go on for a while, and must
/// not keep clips out.
const EXTRA_FIRST_UNITS: usize = 15;

/// Jobs that may wait for downloads without a slot. Each costs the server a call now and then.
const MOST_WAITING: usize = 200;

/// What the activities share. Cheap to clone.
#[derive(Clone)]
pub struct TranscribeActivities {
    store: Store,
    models: Arc<ModelCache>,
    announcer: Announcer,
    stop: CancellationToken,
    waiting: Arc<Semaphore>,
}

impl TranscribeActivities {
    /// `stop` is cancelled when the worker is told to end.
    pub fn new(store: Store, models: ModelCache, announcer: Announcer, stop: CancellationToken) -> Self {
        Self { store, models: Arc::new(models), announcer, stop, waiting: Arc::new(Semaphore::new(MOST_WAITING)) }
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
        let awaited = Arc::new(AwaitedDownload::default());
        let shown = Arc::clone(&awaited);
        let progress = move || PrepareProgress { download: shown.now() };
        let must_wait = !self.models.is_at_hand(&input.speech);
        let place = must_wait.then(|| Arc::clone(&self.waiting).try_acquire_owned().ok()).flatten();
        let waits_without_slot = place.is_some();
        let this = Arc::clone(&self);
        let work = move |stop| async move {
            let _place = place;
            prepare::prepare(&this.store, &this.models, input, &awaited, &stop).await
        };
        if waits_without_slot {
            return Err(run_without_slot(&ctx, &self.stop, progress, work));
        }
        activity::run(&ctx, &self.stop, progress, work).await
    }

    #[activity(definition = TranscribeUnit)]
    pub async fn transcribe_unit(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: UnitInput,
    ) -> Result<UnitDone, ActivityError> {
        let run_id = activity::run_of_job(&ctx, input.run.as_deref());
        let state = UnitState::default();
        let progress =
            || UnitProgress { chunks_done: state.done.load(Ordering::Relaxed), download: state.awaited.now() };
        let (this, input, run_id, state) = (&self, &input, &run_id, &state);
        let work = |stop| async move {
            let Self { store, models, announcer, .. } = this.as_ref();
            unit::transcribe(store, models, announcer, input, run_id, state, &stop).await
        };
        activity::run(&ctx, &self.stop, progress, work).await
    }
}
