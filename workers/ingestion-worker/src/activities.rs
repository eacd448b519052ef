//! The activities that mostly move data, as Temporal calls them: each a few lines between a contract and
//! the module that does the work.

mod housekeeping;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use engine::{
    batch_list::BatchEntry,
    config::{IngestSettings, WebhookSettings},
    error::StageError,
    result::JobStatus,
    store::Store,
    temporal::{
        activity,
        contracts::{
            Amend, Amendment, Assemble, AssembleInput, Assembled, BatchPage, Conclude, Conclusion, DELIVER_QUEUE,
            Deliver, DeliverInput, FETCH_QUEUE, INGEST_QUEUE, Ingest, IngestInput, IngestProgress, Ingested,
            NoteUndelivered, ReadBatch, STEPS_QUEUE, Undelivered,
        },
        metrics,
        worker::Queue,
    },
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    assemble, batch, conclude, deliver,
    ingest::{self, Resources},
};

pub use housekeeping::HousekeepingActivities;

/// Messages that are on their way at the same time: each waits half a minute at most, and takes next to no memory.
const DELIVERIES: usize = 64;

/// Short steps at the same time.
const STEPS: usize = 16;

/// What the activities share. Cheap to clone.
#[derive(Clone)]
pub struct IngestActivities {
    store: Store,
    /// Recordings may be decoded as long as there are permits, wherever they came from.
    decoders: Arc<Semaphore>,
    settings: IngestSettings,
    webhooks: WebhookSettings,
    stop: CancellationToken,
}

impl IngestActivities {
    /// `stop` is cancelled when the worker is told to end.
    pub fn new(store: Store, settings: IngestSettings, webhooks: WebhookSettings, stop: CancellationToken) -> Self {
        let decoders = Arc::new(Semaphore::new(settings.slots.max(1)));
        Self { store, decoders, settings, webhooks, stop }
    }

    /// The queues that they are served from: none waits for what others may keep waiting.
    pub fn queues(self) -> Vec<Queue> {
        let IngestSettings { slots, fetch_slots, .. } = self.settings;
        let queues =
            [(INGEST_QUEUE, slots), (FETCH_QUEUE, fetch_slots), (DELIVER_QUEUE, DELIVERIES), (STEPS_QUEUE, STEPS)];
        queues.map(|(queue, slots)| Queue::of_activities(queue, slots, self.clone())).into()
    }
}

#[activities]
impl IngestActivities {
    #[activity(definition = Ingest)]
    pub async fn ingest(self: Arc<Self>, ctx: ActivityContext, input: IngestInput) -> Result<Ingested, ActivityError> {
        // An f64's bits: seconds of audio decoded, told from the decoding thread to the heartbeat.
        let decoded = Arc::new(AtomicU64::new(0));
        let reported = Arc::clone(&decoded);
        let progress = || IngestProgress { ingested_s: f64::from_bits(decoded.load(Ordering::Relaxed)) };
        let tell = move |seconds: f64| reported.store(seconds.to_bits(), Ordering::Relaxed);
        let (sender, segmented) = watch::channel(None);
        let on_segmented = move |progress| drop(sender.send_replace(Some(progress)));
        let (this, source, context, job) = (&self, &input.source, &ctx, activity::job(&ctx));
        let work = |stop| async move {
            let with = Resources { store: &this.store, settings: &this.settings, decoders: &this.decoders };
            let ingest = ingest::ingest(with, source, job.as_ref(), &stop, tell, on_segmented);
            tokio::select! {
                made = ingest => made,
                never = activity::signal_segmentation(context, segmented) => match never {},
            }
        };
        let made = activity::run(&ctx, &self.stop, progress, work).await?;
        metrics::audio_ingested(made.plan.duration_s);
        Ok(Ingested {
            folder: made.folder,
            audio_sha256: made.plan.audio_sha256,
            duration_s: made.plan.duration_s,
            units: made.plan.units,
            chunks: made.plan.chunks,
        })
    }

    #[activity(definition = Assemble)]
    pub async fn assemble(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: AssembleInput,
    ) -> Result<Assembled, ActivityError> {
        let run_id = activity::run_of_job(&ctx, input.run.as_deref());
        activity::run(&ctx, &self.stop, || (), |_| assemble::assemble(&self.store, &input, &run_id)).await
    }

    #[activity(definition = Conclude)]
    pub async fn conclude(self: Arc<Self>, ctx: ActivityContext, input: Conclusion) -> Result<(), ActivityError> {
        let (status, wall_s) = (input.status, input.timings.wall_s);
        activity::run(&ctx, &self.stop, || (), |_| conclude::conclude(&self.store, input)).await?;
        metrics::job_ended(status, wall_s);
        Ok(())
    }

    #[activity(definition = Amend)]
    pub async fn amend(self: Arc<Self>, ctx: ActivityContext, input: Amendment) -> Result<JobStatus, ActivityError> {
        activity::run(&ctx, &self.stop, || (), |_| conclude::amend(&self.store, &input)).await
    }

    #[activity(definition = Deliver)]
    pub async fn deliver(self: Arc<Self>, ctx: ActivityContext, input: DeliverInput) -> Result<(), ActivityError> {
        let (this, input, attempt) = (&self, &input, ctx.info().attempt);
        let allow_private = self.settings.allow_private_urls;
        // Nothing is written of a job that is deleted meanwhile, however long its receiver keeps silent.
        let work = |stop: CancellationToken| async move {
            let delivered = deliver::deliver(&this.store, &this.webhooks, allow_private, input, attempt);
            stop.run_until_cancelled(delivered).await.unwrap_or_else(|| Err(StageError::cancelled()))
        };
        activity::run(&ctx, &self.stop, || (), work).await
    }

    #[activity(definition = NoteUndelivered)]
    pub async fn note_undelivered(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: Undelivered,
    ) -> Result<(), ActivityError> {
        activity::run(&ctx, &self.stop, || (), |_| deliver::note_undelivered(&self.store, input)).await
    }

    #[activity(definition = ReadBatch)]
    pub async fn read_batch(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: BatchPage,
    ) -> Result<Vec<BatchEntry>, ActivityError> {
        activity::run(&ctx, &self.stop, || (), |_| batch::read_page(&self.store, &input)).await
    }
}
