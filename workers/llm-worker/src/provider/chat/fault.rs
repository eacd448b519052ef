//! What can go wrong with a call, and whether trying again helps.
//!
//! It knows nothing of requests and of the client that sends them.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::retry_after::retry_after;

/// The wait before the second try; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Who asks for a longer wait is asked again by the job's next attempt, and others are answered meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Error bodies are quoted up to here, in characters.
const LONGEST_QUOTE: usize = 400;

#[derive(Debug, thiserror::Error)]
pub(in crate::provider) enum Fault {
    #[error("status {status}: {message}")]
    Status { status: u16, message: String, retry_after: Option<Duration> },
    #[error("{0}")]
    Unreachable(String),
    #[error("timed out")]
    TimedOut,
    /// The answer broke off on its way, or is no chat completion.
    #[error("{0}")]
    Garbled(String),
    /// The endpoint works, but does not want to answer.
    #[error("{0}")]
    Withheld(String),
}

impl Fault {
    /// What an answer that is no success says.
    pub(in crate::provider) async fn status(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), SystemTime::now());
        // What the body would have said is lost with the connection; the status says enough.
        let body = response.text().await.unwrap_or_default();
        Self::Status { status, message: quote(&body), retry_after }
    }

    /// How long to wait before the call is tried again, having been `tried` so often.
    pub(super) fn wait(&self, tried: u32) -> Option<Duration> {
        let back_off = FIRST_WAIT * 2_u32.saturating_pow(tried.saturating_sub(1));
        let wait = match self {
            Self::Garbled(_) => back_off,
            _ if self.is_quota() => return None,
            Self::Status { status: 408 | 429 | 500 | 502..=599, retry_after, .. } => retry_after.unwrap_or(back_off),
            _ => return None,
        };
        (wait <= LONGEST_WAIT).then_some(wait)
    }

    /// When the server wants to be asked again.
    pub(in crate::provider) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The account has nothing left; waiting does not help.
    pub(in crate::provider) fn is_quota(&self) -> bool {
        matches!(self, Self::Status { status: 402, .. })
            || matches!(self, Self::Status { status: 429, message, .. } if is_quota(message))
    }

    /// The prompt is longer than what the model can take.
    pub(in crate::provider) fn is_window(&self) -> bool {
        matches!(self, Self::Status { status: 400..500, message, .. } if is_window(message))
    }

    /// The server understood the request and wants no part of it.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Status { status: 400 | 422 | 501, .. }) && !self.is_window()
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        let reason = innermost(&error);
        match error {
            error if error.is_connect() => Self::Unreachable(reason),
            error if error.is_timeout() => Self::TimedOut,
            _ => Self::Garbled(reason),
        }
    }
}

fn is_quota(message: &str) -> bool {
    message.contains("insufficient_quota") || message.contains("exceeded your current quota")
}

/// How the usual servers say that a prompt is too long.
fn is_window(message: &str) -> bool {
    let message = message.to_lowercase();
    ["context length", "context_length", "context size", "context window", "exceed_context"]
        .iter()
        .any(|phrase| message.contains(phrase))
}

/// An error body's message, wherever servers put it, with the code that some of them give.
fn quote(body: &str) -> String {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let error = &parsed["error"];
    let message = [&error["message"], error, &parsed["message"], &parsed["detail"]].into_iter().find_map(Value::as_str);
    let mut message = message.unwrap_or(body).trim().to_owned();
    if let Some(code) = error["code"].as_str().filter(|code| !message.contains(code)) {
        message.push_str("; ");
        message.push_str(code);
    }
    if message.is_empty() {
        message.push_str("without a reason");
    }
    match message.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message,
    }
}

/// The cause at the bottom, such as `Connection refused`: the layers above only add the address.
fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => innermost(cause),
        None => error.to_string(),
    }
}
