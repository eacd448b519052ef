//! One task's calls to the model: counted and reported.

use engine::{error::StageError, llm::LlmUsage};
use serde::{Deserialize, Serialize};

use crate::{
    provider::{Model, Prompt, Reply},
    reply_text::{whole_sentences, without_thoughts},
};

/// How far a task is. The plan grows where notes have to be condensed again or an answer repaired.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub calls_done: u32,
    pub calls_planned: u32,
    /// Over all calls done, as are the completion's.
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

pub(crate) struct Calls<'a> {
    model: &'a Model,
    report: &'a (dyn Fn(Progress) + Send + Sync),
    progress: Progress,
}

impl<'a> Calls<'a> {
    pub(crate) fn new(model: &'a Model, report: &'a (dyn Fn(Progress) + Send + Sync)) -> Self {
        Self { model, report, progress: Progress::default() }
    }

    pub(crate) fn model(&self) -> &'a Model {
        self.model
    }

    /// Announces calls that are to come.
    pub(crate) fn plan(&mut self, calls: usize) {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        self.progress.calls_planned = self.progress.calls_planned.saturating_add(calls);
        (self.report)(self.progress.clone());
    }

    /// Makes one call that was planned.
    pub(crate) async fn make(&mut self, prompt: &Prompt) -> Result<Reply, StageError> {
        let reply = self.model.reply(prompt).await?;
        self.progress.calls_done += 1;
        self.progress.prompt_tokens += reply.prompt_tokens;
        self.progress.completion_tokens += reply.completion_tokens;
        (self.report)(self.progress.clone());
        Ok(reply)
    }

    /// Makes a planned call whose answer is prose, and gives it without anything around it.
    ///
    /// # Errors
    /// Setup where the model says nothing, or does not get to the end of its first sentence.
    pub(crate) async fn write(&mut self, prompt: Prompt) -> Result<String, StageError> {
        let reply = self.make(&prompt).await?;
        let mut text = without_thoughts(&reply.text);
        if reply.truncated {
            tracing::debug!(model = self.model.name(), "an answer was too long; its last sentence is left out");
            text = whole_sentences(text);
        }
        if text.is_empty() {
            return Err(StageError::setup(format!(
                "the model {} gave an answer without a whole sentence: set LONGHAND_LLM_MODEL to a more capable one",
                self.model.name()
            )));
        }
        Ok(text.to_owned())
    }

    pub(crate) fn usage(&self) -> LlmUsage {
        LlmUsage {
            provider: self.model.provider().to_owned(),
            model: self.model.name().to_owned(),
            prompt_tokens: self.progress.prompt_tokens,
            completion_tokens: self.progress.completion_tokens,
            calls: self.progress.calls_done,
        }
    }
}
