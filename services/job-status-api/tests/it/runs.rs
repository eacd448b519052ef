//! Jobs whose language model goes away, whose workers die, and that run again under their id.

use std::process::Stdio;

use engine::hash::hexadecimal;
use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
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
    const ACME: &str = "the key of acme";
    const ADMIN: &str = "the key of an admin";

    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    let hash = |key: &str| hexadecimal(&Sha256::digest(key));
    std::fs::write(&keys, format!("acme {}\nroot * {}\n", hash(ACME), hash(ADMIN))).unwrap();
    let port = free_port();
    let service = service(port, &[("LONGHAND_API_KEYS", keys.to_str().unwrap())]);
    let get = async |key: &str, path: &str| {
        let answer = service.request(Method::GET, path).header("x-api-key", key).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    };
    let json = async |key: &str, path: &str| serde_json::from_str::<Value>(&get(key, path).await).unwrap();

    let sample = sample();
    let asked = ["transcribe", &sample, "--language", "en", "--llm", "summary", "--id", "acme:patient", "--detach"];
    service.stack.text(asked);
    service.stack.wait_for("acme:patient", "six tries have failed", |state| {
        state["retries"][0]["attempt"].as_u64().is_some_and(|attempt| attempt > 6)
    });
    let shown = json(ACME, "/v1/jobs/patient").await;
    assert_eq!((&shown["status"], &shown["stage"]), (&"running".into(), &"llm".into()));
    let retry = &shown["retries"][0];
    let told = "the language model gives no answer; it is tried again";
    assert_eq!((&retry["stage"], &retry["message"]), (&"llm".into(), &told.into()), "nothing of the inside");
    let shown = json(ADMIN, "/v1/jobs/acme:patient").await;
    assert!(shown["retries"][0]["message"].as_str().unwrap().contains("cannot be reached"), "{shown}");

    assert!(get(ACME, "/v1/jobs/patient/transcript.txt").await.contains("country"));
    for (key, name) in [(ACME, "patient"), (ADMIN, "acme:patient")] {
        let document = json(key, &format!("/v1/jobs/{name}/transcript.json")).await;
        assert_eq!((&document["status"], &document["job_id"]), (&"running".into(), &name.into()));
    }
    assert!(service.stack.text(["result", "acme:patient"]).contains("country"));
    assert_eq!(json(ACME, "/v1/jobs/patient/llm").await, json!({}), "no answer is there");
    let another = service.request(Method::POST, "/v1/jobs/patient/llm").header("content-type", "application/json");
    let another = another.header("x-api-key", ACME).body(r#"{"task": "actions"}"#).send().await.unwrap();
    let (status, refused) = (another.status(), another.json::<Value>().await.unwrap());
    assert_eq!((status, &refused["error"]["code"]), (StatusCode::CONFLICT, &"busy".into()), "{refused}");
    let refused = service.stack.longhand(["llm", "acme:patient", "--task", "actions"]);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("or has not ended"));

    let _endpoint = Endpoint::start(port, |_| "They asked.".to_owned());
    let result = service.stack.json(["watch", "acme:patient", "--json"]);
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
    // Its text is there, so it can be asked about.
    assert_eq!(service.get("/v1/jobs/vic/transcript.srt").await.status(), StatusCode::OK);
    let question = service.request(Method::POST, "/v1/jobs/vic/llm").header("content-type", "application/json");
    assert_eq!(question.body(r#"{"task": "actions"}"#).send().await.unwrap().status(), StatusCode::ACCEPTED);
    let asked: Vec<_> = events(&service, "vic.llm.actions", None).await.collect().await;
    assert_eq!(asked.last().unwrap().data["status"], "completed", "{asked:?}");
    assert_eq!(service.json("/v1/jobs/vic/llm/actions").await["output"], json!(["Ask."]));

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
