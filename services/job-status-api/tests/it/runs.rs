//! Jobs whose language model goes away, whose workers die, and that run again under their id.

use std::process::Stdio;

use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_stack::{LLM, audio::repeated_sample, free_port, sample, wait_until};

use crate::{events::events, language_model::Endpoint, service::Service};

fn service(port: u16, settings: &[(&str, &str)]) -> Service {
    let base_url = format!("http://127.0.0.1:{port}/v1");
    let endpoint = [
        ("LONGHAND_LLM_PROVIDER", "openai"),
        ("LONGHAND_LLM_MODEL", "test-model"),
        ("LONGHAND_LLM_BASE_URL", base_url.as_str()),
    ];
    Service::start_with(&[&endpoint[..], settings].concat())
}

#[tokio::test]
async fn an_endpoint_that_is_away_is_waited_for_and_the_text_is_there_meanwhile() {
    let port = free_port();
    let service = service(port, &[]);
    let sample = sample();
    let asked = ["transcribe", &sample, "--language", "en", "--llm", "summary", "--id", "patient", "--detach"];
    service.stack.text(asked);
    service.stack.wait_for("patient", "six tries have failed", |state| {
        state["retries"][0]["attempt"].as_u64().is_some_and(|attempt| attempt > 6)
    });
    let shown = service.json("/v1/jobs/patient").await;
    assert_eq!((&shown["status"], &shown["stage"]), (&"running".into(), &"llm".into()));
    assert!(shown["retries"][0]["message"].as_str().unwrap().contains("cannot be reached"), "{shown}");
    let text = service.get("/v1/jobs/patient/transcript.txt").await;
    assert_eq!(text.status(), StatusCode::OK);
    assert!(text.text().await.unwrap().contains("country"));
    let document = service.json("/v1/jobs/patient/transcript.json").await;
    assert_eq!((&document["status"], &document["job_id"]), (&"running".into(), &"patient".into()));
    assert!(service.stack.text(["result", "patient"]).contains("country"));
    assert_eq!(service.get("/v1/jobs/patient/llm").await.status(), StatusCode::CONFLICT, "no answer is there");

    let _endpoint = Endpoint::start(port, |_| "They asked.".to_owned());
    let result = service.stack.json(["watch", "patient", "--json"]);
    assert_eq!((&result["status"], &result["llm"]["summary"]), (&"completed".into(), &"They asked.".into()));
}

#[tokio::test]
async fn what_the_model_has_said_is_not_asked_for_again() {
    let port = free_port();
    let mut service = service(port, &[("LONGHAND_LLM_CONTEXT_TOKENS", "512")]);
    let endpoint = Endpoint::start(port, |prompt| format!("A note of {} letters.", prompt.len()));
    service.transcribe("long", &[]);
    lengthen(&service, "long");
    endpoint.hold(Some("Sentence 70 "));
    let mut ask = service.stack.command();
    let task = ask.args(["llm", "long", "--task", "summary", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    wait_until("the model is at a note in the middle", || {
        endpoint.prompts().last().is_some_and(|prompt| prompt.contains("Sentence 70 "))
    });
    let before = endpoint.prompts();
    assert!(before.len() > 5, "{before:?}");
    service.stack.kill(LLM);
    endpoint.hold(None);
    service.stack.start_worker(LLM);
    let answered = task.wait_with_output().unwrap();
    assert!(answered.status.success(), "{answered:?}");

    let mut asked = endpoint.prompts();
    let again = asked.split_off(before.len());
    assert_eq!(again[0], *before.last().unwrap(), "it goes on with the note that was cut off");
    assert!(again[1..].iter().all(|prompt| !before.contains(prompt)), "a note was asked for twice: {again:?}");
    let answer: Value = serde_json::from_slice(&answered.stdout).unwrap();
    assert_eq!(answer["usage"]["calls"], before.len() - 1 + again.len(), "what it took, all in all");
    let folder = service.stack.folder().join("store/jobs/long/notes/summary");
    wait_until("the notes are gone", || std::fs::read_dir(&folder).map_or(0, Iterator::count) == 0);

    let asked = endpoint.prompts().len();
    service.stack.text(["llm", "long", "--task", "summary"]);
    assert!(endpoint.prompts().len() > asked + before.len(), "asked once more, it is answered anew");
}

/// Gives a finished job a transcript that takes many notes.
fn lengthen(service: &Service, job: &str) {
    let path = service.stack.folder().join(format!("store/jobs/{job}/transcript.json"));
    let mut transcript: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let segments = transcript["segments"].as_array_mut().unwrap();
    let one = segments[0].clone();
    for number in 0..100 {
        let mut segment = one.clone();
        segment["text"] =
            format!(" Sentence {number} of the lecture says that rivers carry sand down to the sea.").into();
        segments.push(segment);
    }
    std::fs::write(path, transcript.to_string()).unwrap();
}

#[tokio::test]
async fn a_run_has_nothing_of_the_run_before_it() {
    let port = free_port();
    let service = service(port, &[]);
    let endpoint = Endpoint::start(port, |_| r#"{"actions": ["Ask."]}"#.to_owned());
    endpoint.hold(Some("Who speaks?"));
    let first = repeated_sample(25);
    let first = first.path().to_str().unwrap();
    let asked = ["--language", "en", "--id", "vic", "--llm", "summary", "--ask", "Who speaks?", "--detach"];
    service.stack.text([&["transcribe", first][..], &asked[..]].concat());
    let summary = service.stack.folder().join("store/jobs/vic/llm/summary.json");
    wait_until("the first answer is there", || summary.exists());
    assert_eq!(service.json("/v1/jobs/vic/llm/summary").await["output"], r#"{"actions": ["Ask."]}"#);
    service.stack.text(["cancel", "vic"]);
    let cancelled: Vec<_> = events(&service, "vic", None).await.collect().await;
    assert_eq!(cancelled.last().unwrap().data["status"], "cancelled");
    assert!(cancelled.iter().any(|event| event.name == "segments"), "{cancelled:?}");

    let sample = sample();
    service.stack.text(["transcribe", &sample, "--language", "en", "--id", "vic"]);
    let last_id = Some(cancelled.last().unwrap().id.as_str());
    let again: Vec<_> = events(&service, "vic", last_id).await.collect().await;
    let chunks = again.iter().filter(|event| event.name == "segments").count();
    assert!(chunks > 0, "the new run's text comes from the start: {again:?}");
    let known: Vec<_> = events(&service, "vic", Some(&again.last().unwrap().id)).await.collect().await;
    assert!(known.iter().all(|event| event.name != "segments"), "that of the same run does not: {known:?}");

    assert_eq!(service.get("/v1/jobs/vic/llm/summary").await.status(), StatusCode::NOT_FOUND);
    service.stack.text(["llm", "vic", "--task", "actions"]);
    assert_eq!(service.json("/v1/jobs/vic/llm").await, json!({ "actions": ["Ask."] }));
}
