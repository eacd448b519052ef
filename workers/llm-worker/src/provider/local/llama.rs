//! llama.cpp: the only module that knows it. Everything here blocks.

use std::{num::NonZeroU32, path::Path, sync::OnceLock};

use engine::error::StageError;
use llama_cpp_2::{
    LogOptions,
    context::{LlamaContext, params::LlamaContextParams},
    json_schema_to_grammar,
    llama_backend::LlamaBackend,
    llama_batch::LlamaBatch,
    model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel, params::LlamaModelParams},
    sampling::LlamaSampler,
    send_logs_to_tracing,
    token::LlamaToken,
};

use crate::provider::{Prompt, Reply, Role};

/// Tokens of a prompt read at once: a cancel is noticed between two such batches.
const PROMPT_BATCH: u32 = 64;

/// How far back repetition is punished, in tokens.
const REPETITION_WINDOW: i32 = 256;

/// Shared by all slots of a model.
pub(super) struct Weights {
    model: LlamaModel,
    template: LlamaChatTemplate,
}

impl Weights {
    pub(super) fn load(path: &Path) -> Result<Self, StageError> {
        let model = LlamaModel::load_from_file(backend()?, path, &LlamaModelParams::default());
        let model = model.map_err(|error| unusable(path, &format!("llama.cpp cannot load it: {error}")))?;
        let template = model.chat_template(None).map_err(|error| unusable(path, &error.to_string()))?;
        let weights = Self { model, template };
        weights.render(&Prompt::new(String::new(), 0)).map_err(|error| unusable(path, &error.message))?;
        Ok(weights)
    }

    pub(super) fn trained_context_tokens(&self) -> u32 {
        self.model.n_ctx_train()
    }

    pub(super) fn count_tokens(&self, text: &str) -> u32 {
        u32::try_from(self.model.vocab().tokenize(text.as_bytes(), false, false).len()).unwrap_or(u32::MAX)
    }

    fn tokenize(&self, prompt: &Prompt) -> Result<Vec<LlamaToken>, StageError> {
        let text = self.render(prompt)?;
        Ok(self.model.vocab().tokenize(text.as_bytes(), true, true))
    }

    fn render(&self, prompt: &Prompt) -> Result<String, StageError> {
        let failed = |error: String| StageError::setup(format!("the model's chat template cannot be used: {error}"));
        let mut messages = Vec::with_capacity(prompt.messages.len());
        for message in &prompt.messages {
            let role = match message.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            let text = message.text.replace('\0', " ");
            messages.push(LlamaChatMessage::new(role.to_owned(), text).map_err(|error| failed(error.to_string()))?);
        }
        self.model.apply_chat_template(&self.template, &messages, true).map_err(|error| failed(error.to_string()))
    }
}

/// One context: it answers one prompt at a time, on the thread that made it.
pub(super) struct Slot<'weights> {
    weights: &'weights Weights,
    context: LlamaContext<'weights>,
}

impl<'weights> Slot<'weights> {
    pub(super) fn open(weights: &'weights Weights, context_tokens: u32, threads: usize) -> Result<Self, StageError> {
        let threads = i32::try_from(threads).unwrap_or(i32::MAX);
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(context_tokens))
            .with_n_batch(PROMPT_BATCH)
            .with_n_ubatch(PROMPT_BATCH)
            .with_n_threads(threads)
            .with_n_threads_batch(threads);
        let context = weights.model.new_context(backend()?, params).map_err(|error| {
            StageError::setup(format!(
                "no memory for a window of {context_tokens} tokens ({error}): lower LONGHAND_LLM_CONTEXT_TOKENS or LONGHAND_LLM_SLOTS"
            ))
        })?;
        Ok(Self { weights, context })
    }

    /// Answers a prompt; the same prompt always gets the same answer. `stop` is asked between
    /// tokens.
    pub(super) fn reply(&mut self, prompt: &Prompt, stop: &dyn Fn() -> bool) -> Result<Reply, StageError> {
        let tokens = self.weights.tokenize(prompt)?;
        let room = (self.context.n_ctx() as usize).saturating_sub(tokens.len());
        if room < prompt.answer_tokens as usize {
            return Err(StageError::bad_input(format!(
                "a prompt of {} tokens leaves no room for an answer of {} in the window of {}: raise LONGHAND_LLM_CONTEXT_TOKENS",
                tokens.len(),
                prompt.answer_tokens,
                self.context.n_ctx()
            )));
        }
        self.context.clear_kv_cache();
        self.read(&tokens, stop)?;
        let mut reply = self.write(prompt, stop)?;
        reply.prompt_tokens = tokens.len() as u64;
        Ok(reply)
    }

    fn read(&mut self, tokens: &[LlamaToken], stop: &dyn Fn() -> bool) -> Result<(), StageError> {
        for batch in tokens.chunks(PROMPT_BATCH as usize) {
            if stop() {
                return Err(StageError::cancelled());
            }
            self.decode(batch)?;
        }
        Ok(())
    }

    fn write(&mut self, prompt: &Prompt, stop: &dyn Fn() -> bool) -> Result<Reply, StageError> {
        let vocab = self.weights.model.vocab();
        let mut sampler = self.sampler(prompt);
        let mut text = Vec::new();
        let mut written = 0;
        let mut truncated = true;
        while written < prompt.answer_tokens {
            if stop() {
                return Err(StageError::cancelled());
            }
            let Some(token) = self.pick(&mut sampler) else { break };
            written += 1;
            if vocab.is_eog(token) {
                truncated = false;
                break;
            }
            vocab.token_to_piece_into(token, &mut text, false, None);
            self.decode(&[token])?;
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(Reply { text, truncated, prompt_tokens: 0, completion_tokens: written.into() })
    }

    /// The next token, or none where the grammar has no way on.
    fn pick(&self, sampler: &mut LlamaSampler) -> Option<LlamaToken> {
        let mut candidates = self.context.token_data_array_ith(-1);
        candidates.apply_sampler(sampler);
        let token = candidates.selected_token()?;
        // Only this way of accepting turns a C++ exception into an error.
        sampler.try_accept(token).ok()?;
        Some(token)
    }

    /// Always the likeliest token, so that answers can be repeated; what small models do then,
    /// repeating themselves for ever, is punished.
    fn sampler(&self, prompt: &Prompt) -> LlamaSampler {
        let model = &self.weights.model;
        let mut chain = Vec::new();
        if let Some(schema) = &prompt.schema {
            chain.extend(grammar(model, schema));
        }
        let breakers = ["\n", ":", "\"", "*"];
        chain.push(LlamaSampler::dry(model, 0.8, 1.75, 3, REPETITION_WINDOW, breakers));
        if prompt.schema.is_none() {
            chain.push(LlamaSampler::penalties(model.n_vocab(), REPETITION_WINDOW, 1.1, 0.0, 0.0));
        }
        chain.push(LlamaSampler::greedy());
        LlamaSampler::chain_simple(chain)
    }

    fn decode(&mut self, tokens: &[LlamaToken]) -> Result<(), StageError> {
        let mut batch = LlamaBatch::get_one(tokens).map_err(|error| StageError::transient(error.to_string()))?;
        self.context
            .decode(&mut batch)
            .map_err(|error| StageError::transient(format!("llama.cpp failed on {} tokens: {error}", tokens.len())))
    }
}

/// A grammar for a schema, where llama.cpp can express it; the answer is validated either way.
fn grammar(model: &LlamaModel, schema: &serde_json::Value) -> Option<LlamaSampler> {
    let sampler = json_schema_to_grammar(&schema.to_string())
        .map_err(|error| error.to_string())
        .and_then(|grammar| LlamaSampler::grammar(model, &grammar, "root").map_err(|error| error.to_string()));
    sampler.inspect_err(|reason| tracing::debug!(reason, "the schema is asked for in words only")).ok()
}

/// llama.cpp's global state, set up once and never torn down.
fn backend() -> Result<&'static LlamaBackend, StageError> {
    static BACKEND: OnceLock<Result<LlamaBackend, String>> = OnceLock::new();
    let backend = BACKEND.get_or_init(|| {
        send_logs_to_tracing(LogOptions::default());
        LlamaBackend::init().map_err(|error| error.to_string())
    });
    backend.as_ref().map_err(|error| StageError::setup(format!("llama.cpp cannot be started: {error}")))
}

fn unusable(path: &Path, reason: &str) -> StageError {
    StageError::setup(format!(
        "the language model {} cannot be used: {reason}; fetch the file again, or set LONGHAND_LLM_MODEL to a chat model in GGUF",
        path.display()
    ))
}
