//! Answers that are streams of server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::{StreamExt, stream::BoxStream};
use serde::Serialize;

/// A stream in which nothing happens sends a comment, or proxies would close it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The events as they come, until the stream ends.
pub fn event_stream(events: BoxStream<'static, Event>) -> Response {
    Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// The event with JSON as its data. What cannot be written becomes a comment with the reason, for the stream goes on.
pub fn json_event(event: Event, data: &impl Serialize) -> Event {
    match event.json_data(data) {
        Ok(event) => event,
        Err(error) => Event::default().comment(format!("an event cannot be written: {error}")),
    }
}
