//! The answer of an endpoint, and what it means.
//!
//! It asks for no more fields than it needs: the client's own type refuses the answers of servers
//! that leave others out or have finish reasons of their own.

use serde::Deserialize;

use super::fault::Fault;
use crate::provider::Reply;

/// What is needed of a chat completion; servers differ in everything else.
#[derive(Deserialize)]
pub(super) struct Completion {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Answer,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl Completion {
    pub(super) fn into_reply(self) -> Result<Reply, Fault> {
        let usage = self.usage.unwrap_or_default();
        let choice = self.choices.into_iter().next().ok_or_else(|| Fault::Garbled("it holds no choice".to_owned()))?;
        if let Some(refusal) = choice.message.refusal {
            return Err(Fault::Withheld(refusal));
        }
        let truncated = match choice.finish_reason.as_deref() {
            Some("content_filter") => {
                return Err(Fault::Withheld("its content filter held the answer back".to_owned()));
            }
            // The second name is Mistral's.
            Some("length" | "model_length") => true,
            _ => false,
        };
        Ok(Reply {
            text: choice.message.content.unwrap_or_default(),
            truncated,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
        })
    }
}
