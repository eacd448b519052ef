//! A job's text as server-sent events, chunk by chunk as the recogniser finishes them.

use std::collections::VecDeque;

use api::ApiError;
use axum::response::sse::{Event, KeepAlive, Sse};
use engine::{
    events::{Ended, Subscription},
    ids::JobId,
    transcript::Segment,
};
use futures_util::{Stream, stream};
use serde::Serialize;

use super::{answer::Usage, outcome};
use crate::ingestion::Ingestion;

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
///
/// # Errors
/// Temporal does not answer.
pub(super) async fn events(
    ingestion: Ingestion,
    id: JobId,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, ApiError> {
    let snapshots = ingestion.watchers.watch_latest(ingestion.temporal.jobs()?, id.as_str()).await?;
    let telling =
        Telling { ingestion, id, snapshots, next_chunk: 0, sent: String::new(), waiting: VecDeque::new(), over: false };
    Ok(Sse::new(stream::unfold(telling, Telling::next)).keep_alive(KeepAlive::default()))
}

/// How far the client has been told.
struct Telling {
    ingestion: Ingestion,
    id: JobId,
    snapshots: Subscription,
    next_chunk: u32,
    /// All deltas together.
    sent: String,
    waiting: VecDeque<Result<Event, axum::Error>>,
    over: bool,
}

impl Telling {
    async fn next(mut self) -> Option<(Result<Event, axum::Error>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((event, self));
            }
            if self.over {
                return None;
            }
            if let Err(failed) = self.look().await {
                self.over = true;
                self.waiting.push_back(Event::default().json_data(failed.body()));
            }
        }
    }

    /// Tells what is new, or waits until there is something.
    async fn look(&mut self) -> Result<(), ApiError> {
        let snapshot = self.snapshots.borrow_and_update().clone();
        if let Some(ended) = &snapshot.ended {
            return self.conclude(ended).await;
        }
        // Text is no good out of its order.
        while let Some(segments) = snapshot.chunks.get(&self.next_chunk) {
            self.next_chunk += 1;
            self.tell(text(segments));
        }
        if self.waiting.is_empty() {
            tokio::select! {
                changed = self.snapshots.changed() => changed.map_err(|_| ApiError::internal("the job is followed no more"))?,
                () = self.ingestion.stop.cancelled() => return Err(outcome::stopping(&self.ingestion, &self.id)),
            }
        }
        Ok(())
    }

    async fn conclude(&mut self, ended: &Ended) -> Result<(), ApiError> {
        let result = outcome::result(&self.ingestion, &self.id, ended.status).await?;
        let text = result.text.trim().to_owned();
        if let Some(rest) = text.strip_prefix(self.sent.trim_end()) {
            self.tell(rest.to_owned());
        }
        self.waiting.push_back(Event::default().json_data(Told::Done { text, usage: Usage::of(&result) }));
        self.over = true;
        Ok(())
    }

    fn tell(&mut self, text: String) {
        let delta = if self.sent.is_empty() { text.trim_start().to_owned() } else { text };
        if !delta.is_empty() {
            self.sent.push_str(&delta);
            self.waiting.push_back(Event::default().json_data(Told::Delta { delta }));
        }
    }
}

/// Whisper's segments bring their own spaces.
fn text(segments: &[Segment]) -> String {
    segments.iter().map(|segment| segment.text.as_str()).collect()
}
