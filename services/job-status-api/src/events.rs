//! A job as server-sent events. An event's id says which chunks of which run the client has got, so a stream goes on
//! where the last one broke off, at whichever server, and begins anew where the job did.

use std::collections::VecDeque;

use api::{ApiError, Links, OwnJob, event_stream, json_event};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{Response, sse::Event},
};
use engine::{
    events::{Ended, EventId, JobEvent, Snapshot, Subscription},
    transcript::{Segment, Word},
};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app_state::AppState, job_view::JobView};

const LAST_EVENT_ID: &str = "last-event-id";

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(events))
}

/// A job's progress and its text, as it is recognised.
///
/// `progress` carries the job as `GET /v1/jobs/{id}` shows it; `segments` a chunk's text as
/// `{"chunk", "segments": [{"start", "end", "text", "words"}]}`, in any order; `done`, the last one, `{"status", "error"}`.
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "Jobs",
    params(
        ("id" = String, Path, description = "The job"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that came: the stream goes on after it"),
    ),
    responses((status = 200, description = "Until the job has ended", body = String, content_type = "text/event-stream")),
)]
async fn events(State(state): State<AppState>, job: OwnJob, headers: HeaderMap) -> Result<Response, ApiError> {
    let last_id = headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or("?").parse::<EventId>());
    let last_id = last_id.transpose().map_err(|error| ApiError::invalid(error.to_string()).param("Last-Event-ID"))?;
    let stream = EventStream {
        snapshots: state.watchers.watch_latest(state.temporal.jobs()?, job.as_str()).await?,
        links: state.links,
        job,
        last_sent: None,
        last_id: last_id.unwrap_or_default(),
        pending: VecDeque::new(),
    };
    let events = stream::unfold(stream, |mut stream| async { Some((stream.next().await?, stream)) });
    let stopped = async move { state.stop.cancelled().await };
    Ok(event_stream(events.take_until(Box::pin(stopped)).boxed()))
}

/// One client's stream.
struct EventStream {
    job: OwnJob,
    snapshots: Subscription,
    links: Links,
    last_sent: Option<Snapshot>,
    last_id: EventId,
    pending: VecDeque<(EventId, JobEvent)>,
}

impl EventStream {
    /// `None` after the last event.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((id, event)) = self.pending.pop_front() {
                return Some(self.event(&id, &event));
            }
            match &self.last_sent {
                Some(last) if last.ended.is_some() => return None,
                Some(_) => self.snapshots.changed().await.ok()?,
                None => {}
            }
            let snapshot = self.snapshots.borrow_and_update().clone();
            self.last_id = std::mem::take(&mut self.last_id).in_run(&snapshot.progress.run_id);
            for event in snapshot.news(self.last_sent.as_ref(), &self.last_id.chunks) {
                if let JobEvent::Segments { chunk, .. } = event {
                    self.last_id.chunks.insert(chunk);
                }
                self.pending.push_back((self.last_id.clone(), event));
            }
            self.last_sent = Some(snapshot);
        }
    }

    fn event(&self, id: &EventId, event: &JobEvent) -> Event {
        let named = |name: &str| Event::default().event(name);
        let event = match event {
            JobEvent::Progress(snapshot) => {
                json_event(named("progress"), &JobView::new(&self.job, snapshot, &self.links))
            }
            JobEvent::Segments { chunk, segments } => {
                let segments = segments.iter().map(SegmentView::from).collect();
                json_event(named("segments"), &ChunkView { chunk: *chunk, segments })
            }
            JobEvent::Done(ended) => {
                let error = ended.error.as_deref().map(|error| self.job.scope().told(error));
                json_event(named("done"), &Ended { error, ..ended.clone() })
            }
        };
        event.id(id.to_string())
    }
}

#[derive(Serialize)]
struct ChunkView<'a> {
    chunk: u32,
    segments: Vec<SegmentView<'a>>,
}

/// What a reader needs of a segment; the transcript has the rest.
#[derive(Serialize)]
struct SegmentView<'a> {
    start: f64,
    end: f64,
    text: &'a str,
    words: &'a [Word],
}

impl<'a> From<&'a Segment> for SegmentView<'a> {
    fn from(segment: &'a Segment) -> Self {
        let Segment { start, end, text, words, .. } = segment;
        Self { start: *start, end: *end, text, words }
    }
}
