//! A server that speaks OpenAI's chat completions, and the only module that knows async-openai.
//!
//! Requests hold what every such server understands, a model, messages, and a response format where there is a schema,
//! and whatever else its owner knows this server to understand.

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
use engine::{error::StageError, secret::Secret};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Serialize;
use serde_json::{Map, Value};
use tower::{BoxError, service_fn};

use super::{Message, Prompt, Reply, Role};

pub(super) use fault::Fault;

mod completion;
mod fault;
mod retry_after;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After so many tries the job's own retries take over, which wait longer.
const TRIES: u32 = 4;

pub(super) struct ChatServer {
    client: Client<OpenAIConfig>,
    model: String,
}

/// A request, with fields that are not OpenAI's.
#[derive(Clone, Serialize)]
struct Request {
    #[serde(flatten)]
    chat: CreateChatCompletionRequest,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl ChatServer {
    /// The server at a base URL such as `https://api.example.com/v1`, and one of its models.
    ///
    /// # Errors
    /// Setup for a key that no request can carry.
    pub(super) fn new(
        base: &str,
        key: Option<&Secret>,
        http: reqwest::Client,
        model: String,
    ) -> Result<Self, StageError> {
        let key = key.map(Secret::expose).unwrap_or_default();
        if HeaderValue::from_str(key).is_err() {
            return Err(StageError::setup("LONGHAND_LLM_API_KEY holds characters that no key has: set it again"));
        }
        // All fields are set, for this type's defaults come from environment variables.
        let config = OpenAIConfig::new()
            .with_api_base(base.trim_end_matches('/'))
            .with_api_key(key)
            .with_org_id("")
            .with_project_id("");
        let client = Client::build(http.clone(), config);
        let client = client.with_http_service(service_fn(move |request| deliver(http.clone(), request)));
        Ok(Self { client, model })
    }

    pub(super) fn model(&self) -> &str {
        &self.model
    }

    /// One reply. `extra` holds fields beyond OpenAI's, or nothing.
    pub(super) async fn reply(&self, prompt: &Prompt, extra: &Map<String, Value>) -> Result<Reply, Fault> {
        match self.call(self.request(prompt, prompt.schema.as_ref(), extra)).await {
            Err(fault) if prompt.schema.is_some() && fault.is_refusal() => {
                tracing::debug!(model = self.model, "the response format was refused; asking in words only");
                self.call(self.request(prompt, None, extra)).await
            }
            answered => answered,
        }
    }

    async fn call(&self, request: Request) -> Result<Reply, Fault> {
        let mut tried = 1;
        loop {
            let fault = match self.send(&request).await {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault,
            };
            let Some(wait) = fault.wait(tried).filter(|_| tried < TRIES) else { return Err(fault) };
            tracing::info!(model = self.model, ?wait, tried, "the LLM server is busy or failed; trying again");
            tokio::time::sleep(wait).await;
            tried += 1;
        }
    }

    async fn send(&self, request: &Request) -> Result<Reply, Fault> {
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

    fn request(&self, prompt: &Prompt, schema: Option<&Value>, extra: &Map<String, Value>) -> Request {
        let response_format = schema.map(|schema| ResponseFormat::JsonSchema {
            json_schema: ResponseFormatJsonSchema {
                description: None,
                name: "answer".to_owned(),
                schema: schema.clone(),
                strict: None,
            },
        });
        let chat = CreateChatCompletionRequest {
            model: self.model.clone(),
            messages: prompt.messages.iter().map(message).collect(),
            response_format,
            ..CreateChatCompletionRequest::default()
        };
        Request { chat, extra: extra.clone() }
    }
}

/// The HTTP client that all servers are asked with, as far as it is the same for all.
pub(super) fn http_client() -> reqwest::ClientBuilder {
    engine::tls::install_provider();
    reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT)
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
