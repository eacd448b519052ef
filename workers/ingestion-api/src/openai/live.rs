//! A job's text as server-sent events, chunk by chunk as the recogniser finishes them.

use std::{collections::VecDeque, time::Duration};

use api::ApiError;
use axum::response::sse::{Event, KeepAlive, Sse};
use engine::{
    ids::JobId,
    result::JobResult,
    store::keys,
    temporal::{client::JobEnd, progress::JobProgress},
    transcript::ChunkTranscript,
};
use futures_util::{Stream, stream};
use serde::Serialize;

use super::{answer::Usage, outcome};
use crate::ingestion::Ingestion;

/// Between two looks at the job.
const PAUSE: Duration = Duration::from_millis(400);

/// What a client of OpenAI's API is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
enum Told {
    #[serde(rename = "transcript.text.delta")]
    Delta { delta: String },
    #[serde(rename = "transcript.text.done")]
    Done { text: String, usage: Usage },
}

/// The events up to the job's end.
pub(super) fn events(ingestion: Ingestion, id: JobId) -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    let following =
        Following { ingestion, id, next_chunk: 0, sent: String::new(), waiting: VecDeque::new(), ended: false };
    Sse::new(stream::unfold(following, Following::next)).keep_alive(KeepAlive::default())
}

/// How far the client has been told.
struct Following {
    ingestion: Ingestion,
    id: JobId,
    next_chunk: u32,
    /// All deltas together.
    sent: String,
    waiting: VecDeque<Result<Event, axum::Error>>,
    ended: bool,
}

impl Following {
    async fn next(mut self) -> Option<(Result<Event, axum::Error>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((event, self));
            }
            if self.ended {
                return None;
            }
            if let Err(failed) = self.look().await {
                self.ended = true;
                self.waiting.push_back(Event::default().json_data(failed.body()));
            }
        }
    }

    /// Looks once at the job, after a pause where there is nothing new.
    async fn look(&mut self) -> Result<(), ApiError> {
        let progress = self.ingestion.temporal.jobs()?.progress(self.id.as_str()).await?;
        if progress.status.is_final() {
            let end = JobEnd { status: progress.status, failure: None };
            let result = outcome::result(&self.ingestion, &self.id, &end).await?;
            self.conclude(&result);
            return Ok(());
        }
        self.take_in_chunks(&progress).await?;
        if self.waiting.is_empty() {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.ingestion.stop.cancelled() => return Err(outcome::stopping(&self.ingestion, &self.id)),
            }
        }
        Ok(())
    }

    /// Tells the chunks that are finished, in their order: text is no good out of it.
    async fn take_in_chunks(&mut self, progress: &JobProgress) -> Result<(), ApiError> {
        while self.next_chunk < progress.chunks_total && !progress.recipe.is_empty() {
            let key = keys::chunk(&progress.folder, &progress.recipe, self.next_chunk);
            let Some(chunk) = self.ingestion.uploads.store.find_json::<ChunkTranscript>(&key).await? else { break };
            self.next_chunk += 1;
            let text: String = chunk.segments.iter().map(|segment| segment.text.as_str()).collect();
            self.tell(text);
        }
        Ok(())
    }

    fn tell(&mut self, text: String) {
        let delta = if self.sent.is_empty() { text.trim_start().to_owned() } else { text };
        if !delta.is_empty() {
            self.sent.push_str(&delta);
            self.waiting.push_back(Event::default().json_data(Told::Delta { delta }));
        }
    }

    fn conclude(&mut self, result: &JobResult) {
        self.ended = true;
        let text = result.text.trim().to_owned();
        if let Some(rest) = text.strip_prefix(self.sent.trim_end()) {
            self.tell(rest.to_owned());
        }
        self.waiting.push_back(Event::default().json_data(Told::Done { text, usage: Usage::of(result) }));
    }
}
