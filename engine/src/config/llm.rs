//! Settings of the LLM worker.

use std::path::PathBuf;

use confique::Config;

use crate::{llm::LlmUsage, secret::Secret};

/// The LLM worker.
#[derive(Debug, Clone, Config)]
pub struct LlmSettings {
    /// `local` (a GGUF model on this machine) or `openai` (any endpoint that speaks its API).
    #[config(env = "LONGHAND_LLM_PROVIDER", default = "local")]
    pub provider: LlmProvider,
    /// The endpoint's model name, or for `local` a GGUF file's path. Default: `gpt-5-mini`, or the bundled small model.
    #[config(env = "LONGHAND_LLM_MODEL", validate = not_empty)]
    pub model: Option<String>,
    /// What runs the model of `local`: a `llama-server`, or the library of the Python package xllamacpp. Default: the
    /// `llama-server` on PATH, or that library, fetched.
    #[config(env = "LONGHAND_LLM_SERVER")]
    pub server: Option<PathBuf>,
    /// The endpoint of `openai`, such as `https://api.mistral.ai/v1`.
    #[config(env = "LONGHAND_LLM_BASE_URL", default = "https://api.openai.com/v1")]
    pub base_url: String,
    /// The endpoint's key. `OPENAI_API_KEY` is read where this is not set.
    #[config(env = "LONGHAND_LLM_API_KEY", validate(!api_key.expose().is_empty(), "must not be empty"))]
    pub api_key: Option<Secret>,
    /// Read where `LONGHAND_LLM_API_KEY` is not set.
    #[config(env = "OPENAI_API_KEY", validate(!openai_api_key.expose().is_empty(), "must not be empty"))]
    pub openai_api_key: Option<Secret>,
    /// Seconds that the endpoint may take for one call.
    #[config(env = "LONGHAND_LLM_TIMEOUT_SECONDS", default = 120)]
    pub timeout_seconds: u64,
    /// Seconds that a task waits for a model that cannot be reached, is overloaded or breaks off, such as for the restart of an endpoint. Meanwhile the job's transcript is there, and other tasks go on.
    #[config(env = "LONGHAND_LLM_PATIENCE_SECONDS", default = 600)]
    pub patience_seconds: u64,
    /// Tokens that fit one call, question and answer together; longer transcripts go map-reduce.
    /// Default: what the local model was trained with, at most 8192, or 32768 for an endpoint.
    #[config(env = "LONGHAND_LLM_CONTEXT_TOKENS")]
    pub context_tokens: Option<u32>,
    /// Price of a million tokens that the model reads, in any currency. With a price, what answers cost is counted.
    #[config(env = "LONGHAND_LLM_PROMPT_PRICE", validate = price)]
    pub prompt_price: Option<f64>,
    /// Price of a million tokens that the model writes.
    #[config(env = "LONGHAND_LLM_COMPLETION_PRICE", validate = price)]
    pub completion_price: Option<f64>,
    /// Tasks worked on at the same time.
    #[config(env = "LONGHAND_LLM_SLOTS", default = 1)]
    pub slots: usize,
    /// Threads of the local model. Default: the machine's cores.
    #[config(env = "LONGHAND_LLM_THREADS")]
    pub threads: Option<usize>,
}

fn price(value: &f64) -> Result<(), &'static str> {
    if value.is_finite() && *value >= 0.0 { Ok(()) } else { Err("must be a number that is not below zero") }
}

/// An empty variable is more likely a slip than a choice.
fn not_empty(value: &impl AsRef<str>) -> Result<(), &'static str> {
    if value.as_ref().is_empty() { Err("must not be empty") } else { Ok(()) }
}

impl LlmSettings {
    /// The endpoint's key, if there is one: many local servers need none.
    pub fn key(&self) -> Option<&Secret> {
        self.api_key.as_ref().or(self.openai_api_key.as_ref())
    }

    /// What so many tokens cost, in the currency of the prices; `None` where the settings name no price.
    pub fn cost(&self, usage: &LlmUsage) -> Option<f64> {
        if self.prompt_price.is_none() && self.completion_price.is_none() {
            return None;
        }
        let cost = |tokens: u64, price: Option<f64>| tokens as f64 / 1e6 * price.unwrap_or_default();
        Some(cost(usage.prompt_tokens, self.prompt_price) + cost(usage.completion_tokens, self.completion_price))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LlmProvider {
    Local,
    Openai,
}

#[cfg(test)]
mod tests {
    use confique::Config;

    use super::LlmSettings;
    use crate::llm::LlmUsage;

    #[test]
    fn tokens_cost_what_the_settings_say() {
        let usage = LlmUsage {
            provider: "openai".to_owned(),
            model: "any".to_owned(),
            prompt_tokens: 2_000_000,
            completion_tokens: 500_000,
            calls: 3,
        };
        for (prompt_price, completion_price, cost) in [
            (None, None, None),
            (Some(0.25), Some(2.0), Some(1.5)),
            (Some(0.25), None, Some(0.5)),
            (None, Some(2.0), Some(1.0)),
            (Some(0.0), None, Some(0.0)),
        ] {
            let settings = LlmSettings { prompt_price, completion_price, ..LlmSettings::builder().load().unwrap() };
            assert_eq!(settings.cost(&usage), cost, "{prompt_price:?}, {completion_price:?}");
        }
    }
}
