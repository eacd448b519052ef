//! Any endpoint that speaks OpenAI's chat completions, and the only module that knows async-openai.
//!
//! Requests hold what every such server understands and nothing else: a model, messages, and a
//! response format where there is a schema. Limits on tokens and temperatures are left out, for
//! some models refuse them under the one name and some under the other.

use std::time::Duration;

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    middleware::HttpRequestFactory,
    types::chat::{
        ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage, ChatCompletionRequestUserMessage,
        CreateChatCompletionRequest, ResponseFormat, ResponseFormatJsonSchema,
    },
};
use completion::Completion;
use engine::{config::LlmSettings, error::StageError, secret::Secret};
use fault::Fault;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, service_fn};
use url::Url;

use super::{Message, Prompt, Reply, Role};

mod completion;
mod fault;
mod retry_after;

const DEFAULT_MODEL: &str = "gpt-5-mini";
const DEFAULT_WINDOW: u32 = 32_768;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After so many tries the job's own retries take over, which wait longer.
const TRIES: u32 = 4;

pub(super) struct Endpoint {
    client: Client<OpenAIConfig>,
    model: String,
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
        Ok(Self {
            client: client(&url, key.as_ref(), timeout)?,
            model: settings.model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned()),
            address: shown(url),
            key,
            timeout,
            context_tokens: settings.context_tokens.unwrap_or(DEFAULT_WINDOW),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.model
    }

    pub(super) fn context_tokens(&self) -> u32 {
        self.context_tokens
    }

    /// Three bytes to a token: more than any script needs on average, so that a text that is
    /// thought to fit does.
    pub(super) fn count_tokens(&self, text: &str) -> u32 {
        u32::try_from(text.len().div_ceil(3)).unwrap_or(u32::MAX)
    }

    pub(super) async fn reply(&self, prompt: &Prompt, cancelled: &CancellationToken) -> Result<Reply, StageError> {
        let answered = match self.call(self.request(prompt, prompt.schema.as_ref()), cancelled).await {
            Err(fault) if prompt.schema.is_some() && fault.is_refusal() => {
                tracing::debug!(endpoint = self.address, "the response format was refused; asking in words only");
                self.call(self.request(prompt, None), cancelled).await
            }
            answered => answered,
        };
        answered.map_err(|fault| self.explain(fault))
    }

    async fn call(&self, request: CreateChatCompletionRequest, cancelled: &CancellationToken) -> Result<Reply, Fault> {
        let mut tried = 1;
        loop {
            let outcome = tokio::select! {
                outcome = self.send(&request) => outcome,
                () = cancelled.cancelled() => return Err(Fault::Cancelled),
            };
            let fault = match outcome {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault,
            };
            let Some(wait) = fault.wait(tried).filter(|_| tried < TRIES) else { return Err(fault) };
            tracing::info!(endpoint = self.address, ?wait, tried, "the LLM endpoint is busy or failed; trying again");
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = cancelled.cancelled() => return Err(Fault::Cancelled),
            }
            tried += 1;
        }
    }

    async fn send(&self, request: &CreateChatCompletionRequest) -> Result<Reply, Fault> {
        let completion: Completion = self.client.chat().create_byot(request).await.map_err(|error| match error {
            OpenAIError::Boxed(error) => match error.downcast() {
                Ok(fault) => *fault,
                Err(error) => Fault::Garbled(error.to_string()),
            },
            OpenAIError::Reqwest(error) => Fault::from(error),
            OpenAIError::JSONDeserialize(error, _) => Fault::Garbled(error.to_string()),
            error => Fault::Garbled(error.to_string()),
        })?;
        completion.into_reply()
    }

    fn request(&self, prompt: &Prompt, schema: Option<&Value>) -> CreateChatCompletionRequest {
        let response_format = schema.map(|schema| ResponseFormat::JsonSchema {
            json_schema: ResponseFormatJsonSchema {
                description: None,
                name: "answer".to_owned(),
                schema: schema.clone(),
                strict: None,
            },
        });
        CreateChatCompletionRequest {
            model: self.model.clone(),
            messages: prompt.messages.iter().map(message).collect(),
            response_format,
            ..CreateChatCompletionRequest::default()
        }
    }

    /// The error as the user sees it. An endpoint may quote the key; nobody else shall.
    fn explain(&self, fault: Fault) -> StageError {
        let mut error = fault.explain(&self.address, &self.model, self.timeout);
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

fn client(url: &Url, key: Option<&Secret>, timeout: Duration) -> Result<Client<OpenAIConfig>, StageError> {
    let key = key.map(Secret::expose).unwrap_or_default();
    if HeaderValue::from_str(key).is_err() {
        return Err(StageError::setup("LONGHAND_LLM_API_KEY holds characters that no key has: set it again"));
    }
    // All fields are set, for this type's defaults come from environment variables.
    let config = OpenAIConfig::new()
        .with_api_base(url.as_str().trim_end_matches('/'))
        .with_api_key(key)
        .with_org_id("")
        .with_project_id("");
    engine::tls::install_provider();
    let http = reqwest::Client::builder().timeout(timeout).connect_timeout(CONNECT_TIMEOUT).build();
    let http = http.map_err(|error| StageError::setup(format!("no HTTPS client can be made: {error}")))?;
    Ok(Client::build(http.clone(), config).with_http_service(service_fn(move |request| deliver(http.clone(), request))))
}

/// Sends one request once: the client's own service would retry by rules of its own and log bodies.
async fn deliver(http: reqwest::Client, request: HttpRequestFactory) -> Result<reqwest::Response, BoxError> {
    let mut request = request.build().await?;
    if let Some(key) = request.headers_mut().get_mut(AUTHORIZATION) {
        key.set_sensitive(true);
    }
    let response = http.execute(request).await.map_err(Fault::from)?;
    if response.status().is_success() {
        return Ok(response);
    }
    Err(Fault::status(response).await.into())
}

fn message(message: &Message) -> ChatCompletionRequestMessage {
    match message.role {
        Role::User => ChatCompletionRequestUserMessage::from(message.text.as_str()).into(),
        Role::Assistant => ChatCompletionRequestAssistantMessage::from(message.text.as_str()).into(),
    }
}
