//! A loaded model, as those see it who have something to recognise.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use engine::{error::StageError, job::RecogniserChoice};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    Dispatcher, Message,
    request::{DetectLanguage, Recognise, RecognisedChunk, Reply, Request, Work},
};
use crate::{
    recogniser::{Layout, RecogniseOptions, Recogniser},
    scheduler::{ModelId, ModelLimits, Priority},
};

/// Weights in memory. The sessions that use them are the dispatcher's, which frees those that are idle when this is
/// dropped.
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) sha256: String,
    /// Never `Auto`.
    pub(crate) choice: RecogniserChoice,
    pub(crate) recogniser: Recogniser,
    pub(crate) layout: Layout,
    id: ModelId,
    dispatcher: Dispatcher,
}

impl Model {
    pub(crate) fn new(
        name: &str,
        sha256: String,
        choice: RecogniserChoice,
        recogniser: Recogniser,
        layout: Layout,
        dispatcher: Dispatcher,
    ) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let id = ModelId(NEXT_ID.fetch_add(1, Ordering::Relaxed));
        Self { name: name.to_owned(), sha256, choice, recogniser, layout, id, dispatcher }
    }

    /// Recognises a batch of chunks, together with others that wait for a session and have room in it. Chunks are 16
    /// kHz, mono, from -1 to 1, one at least; they make up one batch of [`Recogniser::batches`].
    pub(crate) async fn recognise(
        self: &Arc<Self>,
        priority: Priority,
        chunks: Vec<Vec<f32>>,
        options: RecogniseOptions,
    ) -> Result<Vec<RecognisedChunk>, StageError> {
        let audio_ctx = chunks.first().map_or(0, |pcm| self.recogniser.audio_ctx(pcm.len()));
        self.ask(priority, |reply| Work::Recognise(Recognise { chunks, audio_ctx, options, reply })).await
    }

    /// Codes of languages with their probabilities, the likeliest first.
    pub(crate) async fn detect_language(
        self: &Arc<Self>,
        priority: Priority,
        pcm: Vec<f32>,
    ) -> Result<Vec<(String, f32)>, StageError> {
        self.ask(priority, |reply| Work::DetectLanguage(DetectLanguage { pcm, reply })).await
    }

    /// Waits for the answer. Who stops waiting cancels the request, also when a session is already at work on it.
    async fn ask<T>(
        self: &Arc<Self>,
        priority: Priority,
        work: impl FnOnce(Reply<T>) -> Work,
    ) -> Result<T, StageError> {
        let (reply, answer) = oneshot::channel();
        let cancelled = CancellationToken::new();
        let _cancels_when_dropped = cancelled.clone().drop_guard();
        let request = Request { model: Arc::clone(self), priority, work: work(reply), cancelled };
        self.dispatcher.send(Message::Request(request));
        let missing = |_| StageError::transient("the recogniser's thread ended early: its answer is missing");
        answer.await.map_err(missing)?
    }

    pub(super) fn id(&self) -> ModelId {
        self.id
    }

    pub(super) fn limits(&self) -> ModelLimits {
        ModelLimits {
            model: self.id,
            sessions: self.layout.sessions,
            threads: self.layout.threads,
            max_batch: self.recogniser.max_batch(),
            takes_any_threads: self.recogniser.takes_any_threads(),
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.dispatcher.send(Message::Retire(self.id));
    }
}
