//! An endpoint that the settings name: its address and key, and what to tell the user of its faults.

use std::time::Duration;

use engine::{config::LlmSettings, error::StageError, secret::Secret};
use serde_json::Map;
use url::Url;

use super::{
    Prompt, Reply,
    chat::{ChatServer, Fault, http_client},
};

const DEFAULT_MODEL: &str = "gpt-5-mini";
const DEFAULT_WINDOW: u32 = 32_768;

pub(super) struct Endpoint {
    server: ChatServer,
    /// The base URL as errors show it.
    address: String,
    key: Option<Secret>,
    timeout: Duration,
    context_tokens: u32,
}

impl Endpoint {
    pub(super) fn open(settings: &LlmSettings) -> Result<Self, StageError> {
        let url = base_url(&settings.base_url)?;
        let key = settings.key().cloned();
        let timeout = Duration::from_secs(settings.timeout_seconds.max(1));
        let http = http_client().timeout(timeout).build();
        let http = http.map_err(|error| StageError::setup(format!("no HTTPS client can be made: {error}")))?;
        let model = settings.model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned());
        Ok(Self {
            server: ChatServer::new(url.as_str(), key.as_ref(), http, model)?,
            address: shown(url),
            key,
            timeout,
            context_tokens: settings.context_tokens.unwrap_or(DEFAULT_WINDOW),
        })
    }

    pub(super) fn name(&self) -> &str {
        self.server.model()
    }

    pub(super) fn context_tokens(&self) -> u32 {
        self.context_tokens
    }

    /// Three bytes to a token: more than any script needs on average, so that a text that is
    /// thought to fit does.
    pub(super) fn count_tokens(&self, text: &str) -> u32 {
        u32::try_from(text.len().div_ceil(3)).unwrap_or(u32::MAX)
    }

    /// Limits on tokens and temperatures are left out of the request, for some models refuse them under the one name and
    /// some under the other.
    pub(super) async fn reply(&self, prompt: &Prompt) -> Result<Reply, StageError> {
        let answered = self.server.reply(prompt, &Map::new()).await;
        answered.map_err(|fault| {
            let error = self.without_key(self.explain(&fault));
            fault.retry_after().into_iter().fold(error, StageError::retry_after)
        })
    }

    fn explain(&self, fault: &Fault) -> StageError {
        let (address, model) = (&self.address, self.name());
        match fault {
            Fault::Status { status, message, .. } => self.explain_status(fault, *status, message),
            Fault::Unreachable(reason) => StageError::transient(format!(
                "the LLM endpoint {address} cannot be reached ({reason}): start it, or correct LONGHAND_LLM_BASE_URL"
            )),
            Fault::TimedOut => StageError::transient(format!(
                "the LLM endpoint {address} did not answer within {} s: raise LONGHAND_LLM_TIMEOUT_SECONDS, or use a faster model",
                self.timeout.as_secs()
            )),
            Fault::Garbled(reason) => StageError::transient(format!(
                "the LLM endpoint {address} sent a broken answer or no chat completion ({reason}): check LONGHAND_LLM_BASE_URL if this persists"
            )),
            Fault::Withheld(reason) => StageError::bad_input(format!(
                "the model {model} refused to answer: {reason}; ask otherwise, or use another model"
            )),
        }
    }

    fn explain_status(&self, fault: &Fault, status: u16, message: &str) -> StageError {
        let model = self.name();
        let said = format!("the LLM endpoint {} answered {status} ({message})", self.address);
        match status {
            401 | 403 => StageError::setup(format!("{said}: set LONGHAND_LLM_API_KEY to a key that it accepts")),
            404 => StageError::setup(format!(
                "{said}: set LONGHAND_LLM_MODEL to a model that it has, {model} is not one, or correct LONGHAND_LLM_BASE_URL"
            )),
            _ if fault.is_quota() => StageError::setup(format!("{said}: the account's quota is used up")),
            408 | 429 | 500 | 502..=599 => StageError::transient(format!(
                "{said} on every try: it is overloaded or down, run the task again when it answers"
            )),
            _ if fault.is_window() => StageError::setup(format!(
                "{said}: set LONGHAND_LLM_CONTEXT_TOKENS to the window of the model {model} or less"
            )),
            _ => StageError::setup(format!(
                "{said}: check that LONGHAND_LLM_MODEL, {model}, is a chat model and LONGHAND_LLM_BASE_URL its address"
            )),
        }
    }

    /// An endpoint may quote the key; nobody else shall.
    fn without_key(&self, mut error: StageError) -> StageError {
        if let Some(key) = &self.key {
            error.message = error.message.replace(key.expose(), "[secret]");
        }
        error
    }
}

fn base_url(text: &str) -> Result<Url, StageError> {
    let refused = |reason: &str| {
        StageError::setup(format!(
            "the LLM endpoint's address {reason}: set LONGHAND_LLM_BASE_URL to one such as https://api.example.com/v1"
        ))
    };
    let url =
        Url::parse(text.trim().trim_end_matches('/')).map_err(|error| refused(&format!("is no URL ({error})")))?;
    match url.scheme() {
        "http" | "https" if url.query().is_none() => Ok(url),
        "http" | "https" => Err(refused("has a query")),
        scheme => Err(refused(&format!("begins with {scheme}: where http: or https: is needed"))),
    }
}

/// An address without the user name and password that it may hold.
fn shown(mut url: Url) -> String {
    if url.set_username("").and_then(|()| url.set_password(None)).is_err() {
        return url.host_str().unwrap_or_default().to_owned();
    }
    url.to_string()
}
