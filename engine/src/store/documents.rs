//! What jobs leave in the store for those that ask for it, each document as its type.
//!
//! The futures are boxed: so the code that reads a document is compiled here once, and not again in every program.

use futures_util::future::BoxFuture;

use super::{Store, StoreError, keys};
use crate::{llm::LlmAnswer, result::JobResult, webhook::DeliveryAttempt};

impl Store {
    /// The job's result; `None` for a job that has not ended, or left none.
    ///
    /// # Errors
    /// Those of [`Store::find_json`], as for all that follow.
    pub fn find_result<'a>(&'a self, job_id: &'a str) -> BoxFuture<'a, Result<Option<JobResult>, StoreError>> {
        Box::pin(async move { self.find_json(&keys::result(job_id)).await })
    }

    /// What an LLM task gave, by the task's name.
    pub fn find_llm_answer<'a>(
        &'a self,
        job_id: &'a str,
        task: &'a str,
    ) -> BoxFuture<'a, Result<Option<LlmAnswer>, StoreError>> {
        Box::pin(async move { self.find_json(&keys::llm_answer(job_id, task)).await })
    }

    /// The attempts to deliver the job's webhook; `None` where none was made.
    pub fn find_delivery_attempts<'a>(
        &'a self,
        job_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<DeliveryAttempt>>, StoreError>> {
        Box::pin(async move { self.find_json(&keys::deliveries(job_id)).await })
    }
}
