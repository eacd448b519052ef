//! The LLM queue's activity as Temporal calls it.

use std::sync::{Arc, Mutex, PoisonError};

use engine::{
    config::{CacheSettings, LlmSettings},
    error::StageError,
    llm::LlmUsage,
    store::{Store, keys},
    temporal::{
        activity,
        contracts::{LlmInput, RunLlmTask},
        metrics,
    },
    transcript::Transcript,
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::{Model, Progress, answer};

/// What the activity needs. The model is opened when first asked for, so that a wrong setting
/// fails the tasks, with a reason, and not the process.
pub struct LlmActivities {
    store: Store,
    cache: CacheSettings,
    settings: LlmSettings,
    model: OnceCell<Model>,
    stop: CancellationToken,
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
        let transcript: Transcript = self.store.read_json(&keys::transcript(&input.job_id)).await?;
        let model = stop.run_until_cancelled(self.model()).await.ok_or_else(StageError::cancelled)??;
        let answer = answer(model, &transcript, &input.task, stop, progress).await?;
        self.store.write_json(&keys::llm_answer(&input.job_id, input.task.name()), &answer).await?;
        Ok(answer.usage)
    }
}

#[activities]
impl LlmActivities {
    #[activity(definition = RunLlmTask)]
    pub async fn run_llm_task(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: LlmInput,
    ) -> Result<LlmUsage, ActivityError> {
        let latest = Mutex::new(Progress::default());
        let tell = |progress| *latest.lock().unwrap_or_else(PoisonError::into_inner) = progress;
        let progress = || latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let work = |stop| {
            let (this, input) = (&self, &input);
            async move { this.run(input, &stop, tell).await }
        };
        let usage = activity::run(&ctx, &self.stop, progress, work).await?;
        metrics::llm_answered(&usage, self.settings.cost(&usage));
        Ok(usage)
    }
}
