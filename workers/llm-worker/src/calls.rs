//! One task's calls to the model: counted and reported, and kept until the task is done.

use engine::{error::StageError, llm::LlmUsage};
use serde::{Deserialize, Serialize};

use crate::{
    notes::Notes,
    provider::{Model, Prompt, Reply},
    reply_text::{whole_sentences, without_thoughts},
};

/// How far a task is. The plan grows where notes have to be condensed again or an answer repaired.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub calls_done: u32,
    pub calls_planned: u32,
    /// Of those done, such as an earlier attempt at the task has made.
    #[serde(default)]
    pub calls_reused: u32,
    /// Over all calls done, as are the completion's; those of earlier attempts count, too.
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

pub(crate) struct Calls<'a> {
    model: &'a Model,
    notes: &'a Notes,
    report: &'a (dyn Fn(Progress) + Send + Sync),
    progress: Progress,
}

impl<'a> Calls<'a> {
    pub(crate) fn new(model: &'a Model, notes: &'a Notes, report: &'a (dyn Fn(Progress) + Send + Sync)) -> Self {
        Self { model, notes, report, progress: Progress::default() }
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

    /// Makes one call that was planned, unless an earlier attempt at the task has made it.
    pub(crate) async fn make(&mut self, prompt: &Prompt) -> Result<Reply, StageError> {
        let known = if self.is_kept() { self.notes.find(self.model, prompt).await? } else { None };
        let reply = match known {
            Some(reply) => {
                self.progress.calls_reused += 1;
                reply
            }
            None => self.model.reply(prompt).await?,
        };
        self.progress.calls_done += 1;
        self.progress.prompt_tokens += reply.prompt_tokens;
        self.progress.completion_tokens += reply.completion_tokens;
        (self.report)(self.progress.clone());
        Ok(reply)
    }

    /// Keeps the reply to a prompt until the task is done, for it is of use: another attempt need not ask for it.
    pub(crate) async fn keep(&self, prompt: &Prompt, reply: &Reply) -> Result<(), StageError> {
        if self.is_kept() { self.notes.keep(self.model, prompt, reply).await } else { Ok(()) }
    }

    /// A task of a single call has its answer with it.
    fn is_kept(&self) -> bool {
        self.progress.calls_planned > 1
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
        self.keep(&prompt, &reply).await?;
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
