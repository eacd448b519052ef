//! A job's text as server-sent events, chunk by chunk as the recogniser finishes them.

use std::collections::VecDeque;

use api::{ApiError, event_stream, json_event};
use axum::response::{Response, sse::Event};
use engine::{
    events::{Ended, Subscription},
    transcript::Segment,
};
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::{
    logprobs::{self, LogProb},
    response::Usage,
};
use crate::{app_state::AppState, awaited_job::AwaitedJob, transcription};

/// The events of OpenAI's API.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
enum StreamEvent<'a> {
    #[serde(rename = "transcript.text.delta")]
    Delta {
        delta: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        logprobs: Option<Vec<LogProb>>,
    },
    #[serde(rename = "transcript.text.done")]
    Done {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        logprobs: Option<Vec<LogProb>>,
        usage: Usage,
    },
}

/// The events up to the job's end.
///
/// # Errors
/// Temporal does not answer.
pub(super) async fn events(state: AppState, awaited: AwaitedJob, with_logprobs: bool) -> Result<Response, ApiError> {
    let snapshots = state.watchers.watch_text(state.temporal.jobs()?, awaited.job().as_str()).await?;
    let text = TextStream {
        state,
        awaited,
        with_logprobs,
        snapshots,
        next_chunk: 0,
        sent: String::new(),
        tokens_sent: 0,
        pending: VecDeque::new(),
        ended: false,
    };
    Ok(event_stream(stream::unfold(text, TextStream::next).boxed()))
}

/// One client's stream.
struct TextStream {
    state: AppState,
    awaited: AwaitedJob,
    with_logprobs: bool,
    snapshots: Subscription,
    next_chunk: u32,
    /// All deltas together, and how many tokens they are.
    sent: String,
    tokens_sent: usize,
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
                self.end();
                let body = failed.body(self.awaited.job().scope());
                self.pending.push_back(json_event(Event::default(), &body));
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
            self.push_text(&text(segments), logprobs::of(segments));
        }
        if self.pending.is_empty() {
            tokio::select! {
                changed = self.snapshots.changed() => changed.map_err(|_| ApiError::internal("the job is followed no more"))?,
                () = self.state.stop.cancelled() => return Err(transcription::stopping(&self.state, self.awaited.job())),
            }
        }
        Ok(())
    }

    async fn finish(&mut self, ended: &Ended) -> Result<(), ApiError> {
        let result = transcription::result(&self.state, self.awaited.job(), ended.status).await?;
        let text = result.text.trim();
        if let Some(rest) = text.strip_prefix(self.sent.trim_end()) {
            let logprobs = logprobs::of(&result.segments).into_iter().skip(self.tokens_sent).collect();
            self.push_text(rest, logprobs);
        }
        let logprobs = self.with_logprobs.then(|| logprobs::of_text(&result.segments));
        let done = StreamEvent::Done { text, logprobs, usage: Usage::of(&result) };
        self.pending.push_back(json_event(Event::default(), &done));
        self.end();
        Ok(())
    }

    fn end(&mut self) {
        self.ended = true;
        self.awaited.leave();
    }

    fn push_text(&mut self, text: &str, mut logprobs: Vec<LogProb>) {
        self.tokens_sent += logprobs.len();
        if self.sent.is_empty() {
            logprobs::trim_start(&mut logprobs);
        }
        let delta = if self.sent.is_empty() { text.trim_start() } else { text };
        if !delta.is_empty() {
            self.sent.push_str(delta);
            let logprobs = self.with_logprobs.then_some(logprobs);
            self.pending.push_back(json_event(Event::default(), &StreamEvent::Delta { delta, logprobs }));
        }
    }
}

/// Whisper's segments bring their own spaces.
fn text(segments: &[Segment]) -> String {
    segments.iter().map(|segment| segment.text.as_str()).collect()
}
