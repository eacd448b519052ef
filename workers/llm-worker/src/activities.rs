//! The LLM queue's activity as Temporal calls it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use engine::{
    config::{CacheSettings, LlmSettings},
    error::StageError,
    llm::LlmUsage,
    result::JobResult,
    run::OfRun,
    store::{Store, StoreError, keys},
    temporal::{
        activity,
        contracts::{LlmInput, RunLlmTask},
        metrics,
    },
    transcript::Transcript,
};
use serde::{Deserialize, Serialize};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::{
    Model, Notes, Progress, answer,
    patience::{Patience, Waiting},
};

/// What the activity needs. The model is opened when first asked for, so that a wrong setting
/// fails the tasks, with a reason, and not the process.
pub struct LlmActivities {
    store: Store,
    cache: CacheSettings,
    settings: LlmSettings,
    model: OnceCell<Model>,
    stop: CancellationToken,
}

/// What every heartbeat tells.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Heartbeat {
    #[serde(flatten)]
    progress: Progress,
    /// Set where the try before this one failed, or this one is failing.
    #[serde(default)]
    waiting: Option<Waiting>,
}

impl LlmActivities {
    /// `stop` is cancelled when the worker is told to end.
    pub fn new(store: Store, cache: CacheSettings, settings: LlmSettings, stop: CancellationToken) -> Self {
        Self { store, cache, settings, model: OnceCell::new(), stop }
    }

    async fn model(&self) -> Result<&Model, StageError> {
        self.model.get_or_try_init(|| Model::open(&self.settings, &self.cache)).await
    }

    async fn run(
        &self,
        input: &LlmInput,
        stop: &CancellationToken,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<LlmUsage, StageError> {
        let (job_id, task) = (input.job_id.as_str(), input.task.name());
        let transcript = self.transcript(input).await?;
        let model = stop.run_until_cancelled(self.model()).await.ok_or_else(StageError::cancelled)??;
        let notes = Notes::new(self.store.clone(), job_id.to_owned(), task);
        let answer = answer(model, &transcript, &input.task, &notes, stop, progress).await?;
        self.store.write_json(&keys::llm_answer(job_id, task), &answer).await?;
        if answer.usage.calls > 1 {
            notes.clear().await?;
        }
        Ok(answer.usage)
    }

    /// The transcript of the run that is asked about. A result has it, too: there it is found where the transcript itself
    /// is of another run, or cannot be read.
    async fn transcript(&self, input: &LlmInput) -> Result<Transcript, StageError> {
        let LlmInput { job_id, run_id, .. } = input;
        let result = if run_id.is_empty() { self.store.find_result(job_id).await? } else { None };
        let run_id = result.as_ref().map_or(run_id.as_str(), |result| result.run_id());
        if let Some(transcript) = self.store.find_transcript(job_id, run_id).await? {
            return Ok(transcript);
        }
        let transcribed = result.filter(|result| result.status.has_transcript()).map(JobResult::into_transcript);
        Ok(transcribed.ok_or_else(|| StoreError::NotFound { key: keys::transcript(job_id) })?)
    }

    /// What becomes of a try that failed. The heartbeat says from then on since when the task waits.
    fn failed(&self, error: StageError, heartbeat: &Mutex<Heartbeat>) -> StageError {
        let now = SystemTime::now();
        let waiting = *lock(heartbeat).waiting.get_or_insert(Waiting::since(now));
        Patience::of_seconds(self.settings.patience_seconds).after(error, waiting, now)
    }
}

impl Heartbeat {
    fn tell(&mut self, progress: Progress) {
        // The model is there again.
        if progress.calls_done > progress.calls_reused {
            self.waiting = None;
        }
        self.progress = progress;
    }
}

fn lock(heartbeat: &Mutex<Heartbeat>) -> MutexGuard<'_, Heartbeat> {
    heartbeat.lock().unwrap_or_else(PoisonError::into_inner)
}

#[activities]
impl LlmActivities {
    #[activity(definition = RunLlmTask)]
    pub async fn run_llm_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: LlmInput,
    ) -> Result<LlmUsage, ActivityError> {
        // What the try before this one told last; nothing readable is as good as nothing.
        let before: Option<Heartbeat> = ctx.heartbeat_details().deserialize().unwrap_or_default();
        let waiting = before.and_then(|heartbeat| heartbeat.waiting);
        let heartbeat = Mutex::new(Heartbeat { progress: Progress::default(), waiting });
        let work = |stop| {
            let (this, input, heartbeat) = (&self, &input, &heartbeat);
            async move {
                let answered = this.run(input, &stop, |progress| lock(heartbeat).tell(progress)).await;
                answered.map_err(|error| this.failed(error, heartbeat))
            }
        };
        let usage = activity::run(&ctx, &self.stop, || lock(&heartbeat).clone(), work).await?;
        metrics::llm_answered(&usage, self.settings.cost(&usage));
        Ok(usage)
    }
}
