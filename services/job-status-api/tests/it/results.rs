//! What came of a job: text in every format, answers, the recording.

use engine::hash::hexadecimal;
use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_stack::{LLM, sample};

use crate::{events::events, service::Service};

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
        assert_eq!(answer.headers()["x-longhand-status"], "completed");
        let tag = answer.headers()["etag"].clone();
        let (text, expected) =
            (answer.text().await.unwrap(), service.stack.text(["result", "done", "--format", format]));
        if kind == "application/json" {
            let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(value(&text), value(&expected), "{format}");
        } else {
            assert_eq!(text, expected, "{format}");
        }
        let again = service.request(Method::GET, &path).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{format}");
    }

    for (task, name) in [
        (json!({"task": "summary"}), "summary"),
        (json!({"ask": "Who speaks?"}), "ask"),
        // The job of the question before has the same name, and has just ended.
        (json!({"ask": "What may a country do?"}), "ask"),
    ] {
        let (status, accepted) = ask(&service, &task).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        let received: Vec<_> = events(&service, accepted["id"].as_str().unwrap(), None).await.collect().await;
        assert!(
            received.iter().any(|event| event.is_progress_of_running()),
            "{task}: an earlier run's end came: {received:?}"
        );
        let answer = service.json(&format!("/v1/jobs/done/llm/{name}")).await;
        assert_eq!(service.json("/v1/jobs/done/llm").await[name], answer["output"]);
        assert_eq!(answer["usage"]["provider"], "local");
    }
}

#[tokio::test]
async fn a_second_question_waits_for_the_first_and_neither_has_a_recording() {
    let mut service = Service::start();
    service.transcribe("done", &[]);
    service.stack.kill(LLM);
    let (one, another) = (json!({ "ask": "Who speaks?" }), json!({ "ask": "To whom?" }));
    let (status, accepted) = ask(&service, &one).await;
    assert_eq!((status, &accepted["id"]), (StatusCode::ACCEPTED, &json!("done.llm.ask")));
    let (status, refused) = ask(&service, &another).await;
    assert_eq!((status, &refused["error"]["code"]), (StatusCode::CONFLICT, &json!("busy")), "{refused}");

    let recording = service.get("/v1/jobs/done.llm.ask/audio").await;
    let (status, body) = (recording.status(), recording.json::<Value>().await.unwrap());
    assert_eq!((status, &body["error"]["code"]), (StatusCode::NOT_FOUND, &json!("no_recording")), "{body}");

    service.stack.start_worker(LLM);
    let received: Vec<_> = events(&service, "done.llm.ask", None).await.collect().await;
    assert_eq!(received.last().unwrap().data["status"], "completed", "{received:?}");
    assert_eq!(ask(&service, &another).await.0, StatusCode::ACCEPTED);
}

/// Asks the language model about the job `done`.
async fn ask(service: &Service, task: &Value) -> (StatusCode, Value) {
    let request = service.request(Method::POST, "/v1/jobs/done/llm").header("content-type", "application/json");
    let answer = request.body(task.to_string()).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_recording_is_sent_whole_or_in_part() {
    let service = Service::start();
    service.transcribe("done", &[]);
    let original = std::fs::read(sample()).unwrap();
    let tag = format!("\"{}\"", hexadecimal(&Sha256::digest(&original)));
    let ask = async |headers: &[(&str, &str)]| {
        let request = service.request(Method::GET, "/v1/jobs/done/audio");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().await.unwrap();
        (answer.status(), answer.headers().clone(), answer.bytes().await.unwrap())
    };
    let (all, part) = (StatusCode::OK, StatusCode::PARTIAL_CONTENT);
    for (headers, status, expected) in [
        (vec![], all, &original[..]),
        (vec![("range", "bytes=0-3")], part, b"fLaC"),
        (vec![("range", "bytes=-10")], part, &original[original.len() - 10..]),
        (vec![("range", "bytes=100000-")], part, &original[100_000..]),
        (vec![("range", "bytes=0-3"), ("if-range", &tag)], part, b"fLaC"),
        (vec![("range", "bytes=0-3"), ("if-range", "\"another\"")], all, &original),
        (vec![("if-none-match", "\"another\"")], all, &original),
    ] {
        let (answered, received, content) = ask(&headers).await;
        assert_eq!((answered, &received["content-type"]), (status, &"audio/flac".parse().unwrap()), "{headers:?}");
        assert_eq!(received["etag"], tag, "{headers:?}");
        assert!(content == expected, "{headers:?}");
    }
    for headers in [vec![("if-none-match", tag.as_str())], vec![("if-none-match", &tag), ("range", "bytes=0-3")]] {
        let (answered, received, content) = ask(&headers).await;
        assert_eq!((answered, content.len()), (StatusCode::NOT_MODIFIED, 0), "{headers:?}");
        assert_eq!(received["etag"], tag, "{headers:?}");
    }
    let (answered, received, _) = ask(&[("range", "bytes=9999999-")]).await;
    assert_eq!(answered, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(received["content-range"], format!("bytes */{}", original.len()));
}
