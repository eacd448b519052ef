//! A GGUF model on this machine, which llama.cpp's server answers with in a process beside the worker's.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use engine::{
    config::{CacheSettings, LlmSettings},
    error::StageError,
};
use models::{Asset, Cache, FetchEvent, catalogue};
use serde_json::{Map, Value, json};
use server::{Launch, LlamaServer};
use tokio::sync::Mutex;

use super::{Prompt, Reply, chat::Fault};

mod process;
mod server;
mod socket_folder;

/// A bigger window is used where it is asked for; its memory is taken whether it is needed or not.
const LARGEST_DEFAULT_WINDOW: u32 = 8192;

/// How far back repetition is punished, in tokens.
const REPETITION_WINDOW: u32 = 256;

pub(super) struct LocalModel {
    name: String,
    context_tokens: u32,
    launch: Launch,
    server: Mutex<Arc<LlamaServer>>,
}

impl LocalModel {
    /// Loads the model of the settings. What they do not name, the bundled model and a server for it, is fetched into
    /// the cache where it is not there yet.
    pub(super) async fn open(settings: &LlmSettings, cache: &CacheSettings) -> Result<Self, StageError> {
        let model = match &settings.model {
            Some(path) => PathBuf::from(path),
            None => fetched(&catalogue::llm(), cache).await?,
        };
        check_file(&model)?;
        let program = match &settings.server {
            Some(path) => path.clone(),
            None => fetched(&catalogue::llama_server(), cache).await?,
        };
        let name = model.file_name().unwrap_or(model.as_os_str()).to_string_lossy().into_owned();
        let launch = Launch {
            program,
            model,
            context_tokens: settings.context_tokens.unwrap_or(LARGEST_DEFAULT_WINDOW),
            slots: settings.slots.max(1),
            threads: settings.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1),
        };
        let server = LlamaServer::start(&launch, &name).await?;
        let trained = server.context_tokens().await.map_err(|fault| explain(&name, &fault))?;
        if settings.context_tokens.is_some_and(|configured| configured > trained) {
            tracing::warn!(trained, "LONGHAND_LLM_CONTEXT_TOKENS is more than the model was trained with");
        }
        let context_tokens = launch.context_tokens.min(trained);
        tracing::info!(
            model = name,
            context_tokens,
            slots = launch.slots,
            threads = launch.threads,
            "language model loaded"
        );
        Ok(Self { name, context_tokens, launch, server: Mutex::new(Arc::new(server)) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn context_tokens(&self) -> u32 {
        self.context_tokens
    }

    pub(super) async fn count_tokens(&self, text: &str) -> Result<u32, StageError> {
        let server = self.server().await?;
        server.count_tokens(text).await.map_err(|fault| self.give_up(&server, &fault))
    }

    /// A reply; the same prompt always gets the same. When the call is given up, so is the server's work on it.
    pub(super) async fn reply(&self, prompt: &Prompt) -> Result<Reply, StageError> {
        let server = self.server().await?;
        let reply = server.chat.reply(prompt, &sampling(prompt)).await;
        reply.map_err(|fault| self.give_up(&server, &fault))
    }

    fn give_up(&self, server: &LlamaServer, fault: &Fault) -> StageError {
        if matches!(fault, Fault::TimedOut) {
            server.kill();
        }
        explain(&self.name, fault)
    }

    /// The server, started again where it has ended since it was last asked.
    async fn server(&self) -> Result<Arc<LlamaServer>, StageError> {
        let mut server = self.server.lock().await;
        if server.has_ended() {
            tracing::warn!(model = self.name, "llama.cpp's server has ended; starting it again");
            *server = Arc::new(LlamaServer::start(&self.launch, &self.name).await?);
        }
        Ok(server.clone())
    }
}

/// Always the likeliest token, so that answers can be repeated; what small models do then, repeating themselves for
/// ever, is punished. JSON repeats its marks and names, so there it is punished less.
fn sampling(prompt: &Prompt) -> Map<String, Value> {
    let mut fields = Map::from_iter([
        ("max_tokens".to_owned(), json!(prompt.answer_tokens)),
        ("temperature".to_owned(), json!(0)),
        ("cache_prompt".to_owned(), json!(false)),
        ("dry_multiplier".to_owned(), json!(0.8)),
        ("dry_base".to_owned(), json!(1.75)),
        ("dry_allowed_length".to_owned(), json!(3)),
        ("dry_penalty_last_n".to_owned(), json!(REPETITION_WINDOW)),
    ]);
    if prompt.schema.is_none() {
        fields.insert("repeat_penalty".to_owned(), json!(1.1));
        fields.insert("repeat_last_n".to_owned(), json!(REPETITION_WINDOW));
    }
    fields
}

fn explain(model: &str, fault: &Fault) -> StageError {
    match fault {
        Fault::Status { .. } if fault.is_window() => StageError::bad_input(format!(
            "a prompt does not fit the window of the model {model} ({fault}): raise LONGHAND_LLM_CONTEXT_TOKENS"
        )),
        Fault::Status { status: 400..500, .. } | Fault::Withheld(_) => StageError::setup(format!(
            "the model {model} cannot answer ({fault}): set LONGHAND_LLM_MODEL to a chat model in GGUF"
        )),
        Fault::Status { .. } | Fault::Unreachable(_) | Fault::TimedOut | Fault::Garbled(_) => {
            StageError::transient(format!(
                "the model {model} stopped answering ({fault}): its server is started again for the next try; if it ends \
                 again, lower LONGHAND_LLM_CONTEXT_TOKENS or LONGHAND_LLM_SLOTS, which take memory"
            ))
        }
    }
}

async fn fetched(asset: &Asset, cache: &CacheSettings) -> Result<PathBuf, StageError> {
    let log = |event| {
        if let FetchEvent::Trying { source } = event {
            tracing::info!(source, "fetching {}", asset.name);
        }
    };
    Ok(models::ensure(asset, &Cache::of(cache), &log).await?)
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
