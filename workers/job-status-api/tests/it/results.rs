//! What came of a job: text in every format, answers, the recording.

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_stack::sample;

use crate::{live::events, service::Service};

#[tokio::test]
async fn results_are_those_of_the_command_line() {
    let service = Service::start();
    service.transcribe("done", &["--words"]);
    for (format, kind) in [
        ("txt", "text/plain; charset=utf-8"),
        ("json", "application/json"),
        ("verbose_json", "application/json"),
        ("srt", "application/x-subrip; charset=utf-8"),
        ("vtt", "text/vtt; charset=utf-8"),
    ] {
        let path = format!("/v1/jobs/done/transcript.{format}");
        let answer = service.get(&path).await;
        assert_eq!((answer.status(), &answer.headers()["content-type"]), (StatusCode::OK, &kind.parse().unwrap()));
        let tag = answer.headers()["etag"].clone();
        assert_eq!(
            answer.text().await.unwrap(),
            service.stack.text(["result", "done", "--format", format]),
            "{format}"
        );
        let again = service.request(Method::GET, &path).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{format}");
    }

    for (task, name) in [
        (json!({"task": "summary"}), "summary"),
        (json!({"ask": "Who speaks?"}), "ask"),
        // The job of the question before has the same name, and has just ended.
        (json!({"ask": "What may a country do?"}), "ask"),
    ] {
        let asked = service.request(Method::POST, "/v1/jobs/done/llm").header("content-type", "application/json");
        let asked = asked.body(task.to_string()).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::ACCEPTED);
        let asked: Value = asked.json().await.unwrap();
        let told: Vec<_> = events(&service, asked["id"].as_str().unwrap(), None).await.collect().await;
        assert!(told.iter().any(|event| event.is_progress_of_running()), "{task}: an earlier run's end came: {told:?}");
        let answer = service.json(&format!("/v1/jobs/done/llm/{name}")).await;
        assert_eq!(service.json("/v1/jobs/done/llm").await[name], answer["output"]);
        assert_eq!(answer["usage"]["provider"], "local");
    }
}

#[tokio::test]
async fn a_recording_is_sent_whole_or_in_part() {
    let service = Service::start();
    service.transcribe("done", &[]);
    let original = std::fs::read(sample()).unwrap();
    for (range, status, expected) in [
        (None, StatusCode::OK, &original[..]),
        (Some("bytes=0-3"), StatusCode::PARTIAL_CONTENT, b"fLaC"),
        (Some("bytes=-10"), StatusCode::PARTIAL_CONTENT, &original[original.len() - 10..]),
        (Some("bytes=100000-"), StatusCode::PARTIAL_CONTENT, &original[100_000..]),
    ] {
        let request = service.request(Method::GET, "/v1/jobs/done/audio");
        let answer = range.iter().fold(request, |request, range| request.header("range", *range)).send().await.unwrap();
        assert_eq!((answer.status(), &answer.headers()["content-type"]), (status, &"audio/flac".parse().unwrap()));
        assert!(answer.bytes().await.unwrap() == expected, "{range:?}");
    }
    let behind = service.request(Method::GET, "/v1/jobs/done/audio").header("range", "bytes=9999999-");
    let behind = behind.send().await.unwrap();
    assert_eq!(behind.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(behind.headers()["content-range"], format!("bytes */{}", original.len()));
}
