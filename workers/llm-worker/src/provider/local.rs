//! A GGUF model in this process: requests queue up for slots, each with a thread and a context of
//! its own, so that inference never runs on the async executor.
//!
//! llama.cpp is known to the module below only.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use engine::{config::LlmSettings, error::StageError};
use llama::{Slot, Weights};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Prompt, Reply};

mod llama;

/// A bigger window is used where it is asked for; its memory is taken whether it is needed or not.
const LARGEST_DEFAULT_WINDOW: u32 = 8192;

pub(super) struct LocalModel {
    name: String,
    context_tokens: u32,
    weights: Arc<Weights>,
    queue: async_channel::Sender<Request>,
}

struct Request {
    prompt: Prompt,
    cancelled: CancellationToken,
    answer: oneshot::Sender<Result<Reply, StageError>>,
}

impl LocalModel {
    pub(super) async fn open(path: PathBuf, settings: &LlmSettings) -> Result<Self, StageError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let weights = Arc::new(load(path).await?);
        let context_tokens = window(&weights, settings.context_tokens);
        let slots = settings.slots.max(1);
        let threads = settings.threads.unwrap_or_else(cores).div_ceil(slots).max(1);
        let (queue, requests) = async_channel::bounded(slots);
        for slot in 0..slots {
            // One after the other: llama.cpp must not make two contexts of a model at once.
            start_slot(slot, weights.clone(), context_tokens, threads, requests.clone()).await?;
        }
        tracing::info!(model = name, context_tokens, slots, threads, "language model loaded");
        Ok(Self { name, context_tokens, weights, queue })
    }

    pub(super) async fn reply(&self, prompt: Prompt, cancelled: &CancellationToken) -> Result<Reply, StageError> {
        let (answer, answered) = oneshot::channel();
        let request = Request { prompt, cancelled: cancelled.clone(), answer };
        let queued = tokio::select! {
            queued = self.queue.send(request) => queued,
            () = cancelled.cancelled() => return Err(StageError::cancelled()),
        };
        queued.map_err(|_| self.stopped())?;
        answered.await.map_err(|_| self.stopped())?
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn context_tokens(&self) -> u32 {
        self.context_tokens
    }

    pub(super) fn count_tokens(&self, text: &str) -> u32 {
        self.weights.count_tokens(text)
    }

    fn stopped(&self) -> StageError {
        StageError::transient(format!("the model {} stopped answering: restart the LLM worker", self.name))
    }
}

async fn load(path: PathBuf) -> Result<Weights, StageError> {
    tokio::task::spawn_blocking(move || {
        check_file(&path)?;
        Weights::load(&path)
    })
    .await
    .map_err(|error| StageError::setup(format!("the language model could not be loaded: {error}")))?
}

/// Tells the common mistakes apart before llama.cpp, which only says no.
fn check_file(path: &Path) -> Result<(), StageError> {
    let mut magic = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read(&mut file, &mut magic));
    let problem = match read {
        Err(error) => format!("cannot be read: {error}"),
        Ok(_) if &magic != b"GGUF" => "is not a GGUF file".to_owned(),
        Ok(_) => return Ok(()),
    };
    Err(StageError::setup(format!(
        "the language model {} {problem}; set LONGHAND_LLM_MODEL to the path of a GGUF file, or unset it for the bundled model",
        path.display()
    )))
}

fn window(weights: &Weights, configured: Option<u32>) -> u32 {
    let trained = weights.trained_context_tokens();
    let window = configured.unwrap_or(LARGEST_DEFAULT_WINDOW).min(trained);
    if let Some(configured) = configured.filter(|&configured| configured > trained) {
        tracing::warn!(configured, trained, "LONGHAND_LLM_CONTEXT_TOKENS is more than the model was trained with");
    }
    window
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

async fn start_slot(
    number: usize,
    weights: Arc<Weights>,
    context_tokens: u32,
    threads: usize,
    requests: async_channel::Receiver<Request>,
) -> Result<(), StageError> {
    let (ready, started) = oneshot::channel();
    let serve = move || match Slot::open(&weights, context_tokens, threads) {
        Ok(slot) => {
            if ready.send(Ok(())).is_ok() {
                serve_requests(slot, &requests);
            }
        }
        // Nobody waits for the error when the model was given up while it was opened.
        Err(error) => drop(ready.send(Err(error))),
    };
    let failed = |error: String| StageError::setup(format!("the language model cannot be started: {error}"));
    thread::Builder::new().name(format!("llm-{number}")).spawn(serve).map_err(|error| failed(error.to_string()))?;
    started.await.map_err(|error| failed(error.to_string()))?
}

fn serve_requests(mut slot: Slot<'_>, requests: &async_channel::Receiver<Request>) {
    while let Ok(Request { prompt, cancelled, answer }) = requests.recv_blocking() {
        let stop = || cancelled.is_cancelled() || answer.is_closed();
        let reply = slot.reply(&prompt, &stop);
        if answer.send(reply).is_err() {
            tracing::debug!("a reply came when nobody waited for it any more");
        }
    }
}
