//! What jobs leave in the store for those that ask for it, each document as its type.
//!
//! A job that failed or was cancelled may run again under its id, on another recording: a document says of which run it
//! is, and that of another run counts as not there.
//!
//! The futures are boxed: so the code that reads a document is compiled here once, and not again in every program.

use std::io::Read;

use futures_util::future::BoxFuture;

use super::{Store, StoreError, error::classify, keys};
use crate::{
    llm::LlmAnswer,
    result::{JobResult, ResultHead},
    run::OfRun,
    transcript::Transcript,
    webhook::DeliveryAttempt,
};

impl Store {
    /// The job's result, of whichever run; `None` for a job that has not ended, or left none.
    ///
    /// # Errors
    /// Those of [`Store::find_json`], as for all that follow.
    pub fn find_result<'a>(&'a self, job_id: &'a str) -> BoxFuture<'a, Result<Option<JobResult>, StoreError>> {
        Box::pin(async move { self.find_json(&keys::result(job_id)).await })
    }

    /// As [`Store::find_result`] without the text, which is skipped as it is read.
    pub fn find_result_head<'a>(&'a self, job_id: &'a str) -> BoxFuture<'a, Result<Option<ResultHead>, StoreError>> {
        Box::pin(async move {
            let key = keys::result(job_id);
            let reader = match self.reader(&key).await {
                Err(StoreError::NotFound { .. }) => return Ok(None),
                reader => reader?,
            };
            let read = tokio::task::spawn_blocking(move || ResultHead::read(reader));
            let read = read.await.unwrap_or_else(|error| Err(serde_json::Error::io(error.into())));
            read.map(Some).map_err(|error| unreadable(&key, error))
        })
    }

    /// A job's result, for readers that block.
    pub fn result_reader<'a>(&'a self, job_id: &'a str) -> BoxFuture<'a, Result<Box<dyn Read + Send>, StoreError>> {
        Box::pin(async move { self.reader(&keys::result(job_id)).await })
    }

    /// The run's transcript, which is there before its result: as long as language models are at work on it.
    pub fn find_transcript<'a>(
        &'a self,
        job_id: &'a str,
        run_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Transcript>, StoreError>> {
        Box::pin(async move {
            let found = self.find_json::<Transcript>(&keys::transcript(job_id)).await?;
            Ok(found.filter(|transcript| transcript.is_of(run_id)))
        })
    }

    /// What an LLM task gave on the run's transcript, by the task's name.
    pub fn find_llm_answer<'a>(
        &'a self,
        job_id: &'a str,
        run_id: &'a str,
        task: &'a str,
    ) -> BoxFuture<'a, Result<Option<LlmAnswer>, StoreError>> {
        Box::pin(async move {
            let found = self.find_json::<LlmAnswer>(&keys::llm_answer(job_id, task)).await?;
            Ok(found.filter(|answer| answer.is_of(run_id)))
        })
    }

    /// The attempts to deliver the job's webhook, of all its runs and in order; none where none was made.
    pub fn find_delivery_attempts<'a>(
        &'a self,
        job_id: &'a str,
    ) -> BoxFuture<'a, Result<Vec<DeliveryAttempt>, StoreError>> {
        Box::pin(async move {
            let mut attempts = Vec::new();
            for key in self.list(&keys::deliveries(job_id)).await? {
                attempts.extend(self.find_json::<Vec<DeliveryAttempt>>(&key).await?.unwrap_or_default());
            }
            attempts.sort_by_key(|attempt| attempt.at);
            Ok(attempts)
        })
    }
}

/// A store that failed in the middle of it, or an object that is no result.
fn unreadable(key: &str, error: serde_json::Error) -> StoreError {
    if error.is_io() {
        return classify(key, object_store::Error::Generic { store: "result", source: error.into() });
    }
    StoreError::Corrupt { key: key.to_owned(), reason: error.to_string() }
}
