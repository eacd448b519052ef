//! A job's text as server-sent events, chunk by chunk as the recogniser finishes them.

use std::collections::VecDeque;

use api::{ApiError, OwnJob, event_stream, json_event};
use axum::response::{Response, sse::Event};
use engine::{
    events::{Ended, Subscription},
    transcript::Segment,
};
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::{outcome, response::Usage};
use crate::app_state::AppState;

/// The events of OpenAI's API.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
enum StreamEvent<'a> {
    #[serde(rename = "transcript.text.delta")]
    Delta { delta: &'a str },
    #[serde(rename = "transcript.text.done")]
    Done { text: &'a str, usage: Usage },
}

/// The events up to the job's end.
///
/// # Errors
/// Temporal does not answer.
pub(super) async fn events(state: AppState, job: OwnJob) -> Result<Response, ApiError> {
    let snapshots = state.watchers.watch_latest(state.temporal.jobs()?, job.as_str()).await?;
    let text = TextStream {
        state,
        job,
        snapshots,
        next_chunk: 0,
        sent: String::new(),
        pending: VecDeque::new(),
        ended: false,
    };
    Ok(event_stream(stream::unfold(text, TextStream::next).boxed()))
}

/// One client's stream.
struct TextStream {
    state: AppState,
    job: OwnJob,
    snapshots: Subscription,
    next_chunk: u32,
    /// All deltas together.
    sent: String,
    pending: VecDeque<Event>,
    ended: bool,
}

impl TextStream {
    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some((event, self));
            }
            if self.ended {
                return None;
            }
            if let Err(failed) = self.advance().await {
                self.ended = true;
                self.pending.push_back(json_event(Event::default(), &failed.body(self.job.scope())));
            }
        }
    }

    /// Queues what is new, or waits until there is something.
    async fn advance(&mut self) -> Result<(), ApiError> {
        let snapshot = self.snapshots.borrow_and_update().clone();
        if let Some(ended) = &snapshot.ended {
            return self.finish(ended).await;
        }
        // Chunks are recognised in any order, but their text is sent in its own.
        while let Some(segments) = snapshot.chunks.get(&self.next_chunk) {
            self.next_chunk += 1;
            self.push_text(&text(segments));
        }
        if self.pending.is_empty() {
            tokio::select! {
                changed = self.snapshots.changed() => changed.map_err(|_| ApiError::internal("the job is followed no more"))?,
                () = self.state.stop.cancelled() => return Err(outcome::stopping(&self.state, &self.job)),
            }
        }
        Ok(())
    }

    async fn finish(&mut self, ended: &Ended) -> Result<(), ApiError> {
        let result = outcome::result(&self.state, &self.job, ended.status).await?;
        let text = result.text.trim();
        if let Some(rest) = text.strip_prefix(self.sent.trim_end()) {
            self.push_text(rest);
        }
        let done = StreamEvent::Done { text, usage: Usage::of(&result) };
        self.pending.push_back(json_event(Event::default(), &done));
        self.ended = true;
        Ok(())
    }

    fn push_text(&mut self, text: &str) {
        let delta = if self.sent.is_empty() { text.trim_start() } else { text };
        if !delta.is_empty() {
            self.sent.push_str(delta);
            self.pending.push_back(json_event(Event::default(), &StreamEvent::Delta { delta }));
        }
    }
}

/// Whisper's segments bring their own spaces.
fn text(segments: &[Segment]) -> String {
    segments.iter().map(|segment| segment.text.as_str()).collect()
}
