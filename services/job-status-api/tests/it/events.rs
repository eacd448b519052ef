//! A job's events while it runs, after it has ended, and after a stream that broke off.

use std::{collections::BTreeMap, pin::Pin};

use futures_util::{Stream, StreamExt};
use reqwest::Method;
use serde_json::Value;
use test_stack::audio::repeated_sample;

use crate::service::Service;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Event {
    pub(crate) fn is_progress_of_running(&self) -> bool {
        self.name == "progress" && self.data["status"] == "running"
    }
}

#[tokio::test]
async fn text_comes_while_the_job_runs_and_a_broken_stream_goes_on_where_it_was() {
    let service = Service::start();
    let recording = repeated_sample(240);
    let recording = recording.path().to_str().unwrap();
    service.stack.text(["transcribe", recording, "--language", "en", "--id", "long", "--detach"]);

    let live: Vec<Event> = events(&service, "long", None).await.collect().await;
    let names: Vec<_> = live.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names.last(), Some(&"done"), "{names:?}");
    assert_eq!(live.last().unwrap().data["status"], "completed");
    let last_running = live.iter().rposition(Event::is_progress_of_running).unwrap();
    let early = live[..last_running].iter().filter(|event| event.name == "segments").count();
    assert!(early >= 3, "text of only {early} chunks came before the job's end: {names:?}");

    let chunks = text_of(&live);
    assert_eq!(chunks.len(), live.iter().filter(|event| event.name == "segments").count(), "no chunk comes twice");
    let transcript = service.get("/v1/jobs/long/transcript.txt").await.text().await.unwrap();
    let received: String = chunks.values().cloned().collect();
    assert_eq!(words(&received), words(&transcript));

    let third = live.iter().filter(|event| event.name == "segments").nth(2).unwrap();
    let rest: Vec<Event> = events(&service, "long", Some(&third.id)).await.collect().await;
    let mut expected = chunks.clone();
    for event in live.iter().filter(|event| event.name == "segments").take(3) {
        expected.remove(&event.data["chunk"].as_u64().unwrap());
    }
    assert_eq!(text_of(&rest), expected, "after {}", third.id);

    let replayed: Vec<Event> = events(&service, "long", None).await.collect().await;
    assert_eq!(text_of(&replayed), chunks);
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// By chunk.
fn text_of(events: &[Event]) -> BTreeMap<u64, String> {
    let segments = events.iter().filter(|event| event.name == "segments");
    segments
        .map(|event| {
            let texts =
                event.data["segments"].as_array().unwrap().iter().map(|segment| segment["text"].as_str().unwrap());
            (event.data["chunk"].as_u64().unwrap(), texts.collect())
        })
        .collect()
}

pub(crate) async fn events(service: &Service, job: &str, last_id: Option<&str>) -> Pin<Box<dyn Stream<Item = Event>>> {
    let request = service.request(Method::GET, &format!("/v1/jobs/{job}/events"));
    let request = last_id.iter().fold(request, |request, id| request.header("last-event-id", *id));
    let answer = request.send().await.unwrap().error_for_status().unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let pieces = answer.bytes_stream().map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap());
    let events = pieces.scan(String::new(), |open, piece| {
        open.push_str(&piece);
        let mut complete = Vec::new();
        while let Some((event, rest)) = open.split_once("\n\n") {
            complete.extend(parse(event));
            *open = rest.to_owned();
        }
        std::future::ready(Some(futures_util::stream::iter(complete)))
    });
    events.flatten().boxed_local()
}

/// `None` for a comment.
fn parse(event: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines = event.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    let data = serde_json::from_str(&field("data")?).unwrap();
    Some(Event { name: field("event")?, id: field("id").unwrap_or_default(), data })
}
