//! What the model has said of a task so far: checkpoints like those of chunks. A task that is begun again, because its
//! worker died or the model went away, asks only for the rest. They go when the task's answer is there, so that a task
//! that is asked for once more is answered anew.

use engine::{
    error::StageError,
    hash::hexadecimal,
    store::{Store, keys},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::provider::{Message, Model, Prompt, Reply};

/// The notes of one task of one job.
pub struct Notes {
    store: Store,
    job_id: String,
    task: &'static str,
}

impl Notes {
    pub fn new(store: Store, job_id: String, task: &'static str) -> Self {
        Self { store, job_id, task }
    }

    /// What the model has said to the same prompt before.
    pub(crate) async fn find(&self, model: &Model, prompt: &Prompt) -> Result<Option<Reply>, StageError> {
        Ok(self.store.find_json(&self.key(model, prompt)?).await?)
    }

    pub(crate) async fn keep(&self, model: &Model, prompt: &Prompt, reply: &Reply) -> Result<(), StageError> {
        Ok(self.store.write_json(&self.key(model, prompt)?, reply).await?)
    }

    /// Forgets all of them.
    pub(crate) async fn clear(&self) -> Result<(), StageError> {
        for key in self.store.list(&keys::notes(&self.job_id, self.task)).await? {
            self.store.delete(&key).await?;
        }
        Ok(())
    }

    /// All that decides the reply.
    fn key(&self, model: &Model, prompt: &Prompt) -> Result<String, StageError> {
        #[derive(Serialize)]
        struct Asked<'a> {
            provider: &'a str,
            model: &'a str,
            messages: &'a [Message],
            answer_tokens: u32,
            schema: Option<&'a serde_json::Value>,
        }
        let Prompt { messages, answer_tokens, schema } = prompt;
        let (provider, model) = (model.provider(), model.name());
        let asked = Asked { provider, model, messages, answer_tokens: *answer_tokens, schema: schema.as_ref() };
        let asked = serde_json::to_vec(&asked).map_err(|error| StageError::bad_input(error.to_string()))?;
        Ok(keys::note(&self.job_id, self.task, &hexadecimal(&Sha256::digest(asked)[..16])))
    }
}
