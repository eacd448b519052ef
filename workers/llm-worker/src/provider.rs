//! The seam between tasks and language models: messages in, one reply out.
//!
//! It knows nothing of transcripts and tasks. Each model's client stays in its own module.

use engine::{
    config::{CacheSettings, LlmProvider, LlmSettings},
    error::StageError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use local::LocalModel;
use openai::Endpoint;

mod chat;
mod local;
mod openai;

/// Smaller windows leave no room for a question, a piece of transcript and an answer.
const SMALLEST_WINDOW: u32 = 512;

/// A language model that is ready to answer.
pub struct Model(Provider);

enum Provider {
    Local(LocalModel),
    Openai(Box<Endpoint>),
}

/// What a model is asked.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) messages: Vec<Message>,
    /// Room to leave for the answer. A local model is held to it; endpoints know their own limits.
    pub(crate) answer_tokens: u32,
    /// JSON schema that the answer should satisfy; the model's help is asked, but not relied on.
    pub(crate) schema: Option<Value>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) text: String,
}

/// There is no system role: some chat templates refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Role {
    User,
    Assistant,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) text: String,
    /// The model stopped for want of room, in the middle of its answer.
    pub(crate) truncated: bool,
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
}

impl Model {
    /// Makes the model of the settings ready. The bundled model and llama.cpp's server are fetched into `cache` where the
    /// settings name no others and they are not there yet.
    ///
    /// # Errors
    /// Setup, naming the variable, for a file that is missing or no model, an address or key that
    /// cannot be used, and a window too small to work with.
    pub async fn open(settings: &LlmSettings, cache: &CacheSettings) -> Result<Self, StageError> {
        if let Some(tokens) = settings.context_tokens.filter(|&tokens| tokens < SMALLEST_WINDOW) {
            return Err(StageError::setup(format!(
                "a window of {tokens} tokens is too small: set LONGHAND_LLM_CONTEXT_TOKENS to {SMALLEST_WINDOW} or more"
            )));
        }
        Ok(Self(match settings.provider {
            LlmProvider::Openai => Provider::Openai(Box::new(Endpoint::open(settings)?)),
            LlmProvider::Local => Provider::Local(LocalModel::open(settings, cache).await?),
        }))
    }

    /// Tokens that fit one call, question and answer together.
    pub(crate) fn context_tokens(&self) -> u32 {
        match &self.0 {
            Provider::Local(model) => model.context_tokens(),
            Provider::Openai(endpoint) => endpoint.context_tokens(),
        }
    }

    /// How many tokens a text takes: exact, or never too few where the tokenizer is not known.
    pub(crate) async fn count_tokens(&self, text: &str) -> Result<u32, StageError> {
        match &self.0 {
            Provider::Local(model) => model.count_tokens(text).await,
            Provider::Openai(endpoint) => Ok(endpoint.count_tokens(text)),
        }
    }

    pub(crate) async fn reply(&self, prompt: &Prompt) -> Result<Reply, StageError> {
        match &self.0 {
            Provider::Local(model) => model.reply(prompt).await,
            Provider::Openai(endpoint) => endpoint.reply(prompt).await,
        }
    }

    /// `local` or `openai`.
    pub(crate) fn provider(&self) -> &'static str {
        match &self.0 {
            Provider::Local(_) => "local",
            Provider::Openai(_) => "openai",
        }
    }

    pub(crate) fn name(&self) -> &str {
        match &self.0 {
            Provider::Local(model) => model.name(),
            Provider::Openai(endpoint) => endpoint.name(),
        }
    }
}

impl Prompt {
    /// A prompt of a single message.
    pub(crate) fn new(text: String, answer_tokens: u32) -> Self {
        Self { messages: vec![Message { role: Role::User, text }], answer_tokens, schema: None }
    }
}
