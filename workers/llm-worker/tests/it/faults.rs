//! Endpoints that refuse, fail, break off or are not there, and settings that cannot work.

use std::time::Duration;

use engine::{
    config::LlmSettings,
    error::{FailureKind, StageError},
    llm::LlmTask,
    secret::Secret,
};
use llm_worker::{Model, answer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    endpoint::{Endpoint, Play},
    fixtures::{Desk, KEY, endpoint_settings, meeting, no_cache, question, run},
};

fn status(status: u16, message: &str) -> Play {
    Play::Status(status, "", json!({ "error": { "message": message } }).to_string())
}

#[tokio::test]
async fn errors_say_what_happened_and_what_to_do() {
    use FailureKind::{BadInput, Setup, Transient};
    let quota = json!({ "error": { "message": "No more credit", "code": "insufficient_quota" } }).to_string();
    let filtered = r#"{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}"#;
    for (play, requests, kind, parts) in [
        (status(401, "Incorrect API key"), 1, Setup, ["401 (Incorrect API key)", "LONGHAND_LLM_API_KEY"]),
        (status(403, "No access"), 1, Setup, ["403 (No access)", "LONGHAND_LLM_API_KEY"]),
        (status(404, "no such model"), 1, Setup, ["404 (no such model)", "LONGHAND_LLM_MODEL"]),
        (Play::Status(429, "", quota), 1, Setup, ["No more credit", "quota"]),
        (status(400, "maximum context length is 4096"), 1, Setup, ["4096", "LONGHAND_LLM_CONTEXT_TOKENS"]),
        (
            Play::Status(422, "", r#"{"detail":"extra field"}"#.to_owned()),
            1,
            Setup,
            ["422 (extra field)", "test-model"],
        ),
        (
            Play::Status(429, "retry-after: 3600", "slow down".to_owned()),
            1,
            Transient,
            ["429 (slow down)", "when it answers"],
        ),
        (
            Play::Status(503, "retry-after-ms: 1", "loading".to_owned()),
            4,
            Transient,
            ["503 (loading)", "when it answers"],
        ),
        (Play::Silence, 1, Transient, ["within 1 s", "LONGHAND_LLM_TIMEOUT_SECONDS"]),
        (Play::Body(r#"{"choices":[]}"#), 4, Transient, ["no choice", "LONGHAND_LLM_BASE_URL"]),
        (Play::Body("<html>It works!</html>"), 4, Transient, ["no chat completion", "LONGHAND_LLM_BASE_URL"]),
        (Play::BrokenOff, 4, Transient, ["broken answer", "LONGHAND_LLM_BASE_URL"]),
        (Play::Body(filtered), 1, BadInput, ["content filter", "another model"]),
        (Play::Cut("Not one sentence whole".to_owned()), 1, Setup, ["whole sentence", "LONGHAND_LLM_MODEL"]),
    ] {
        let endpoint = Endpoint::playing(vec![play; requests]).await;
        let settings = LlmSettings { timeout_seconds: 1, ..endpoint_settings(&endpoint.base_url) };
        let error = run(&settings, &meeting(), &LlmTask::Summary).await.unwrap_err();
        check(&error, kind, &parts);
        assert_eq!(endpoint.requests().len(), requests, "{error}");
    }
}

/// Longer waits than a few seconds are not made while a slot is held.
#[tokio::test]
async fn when_to_ask_again_is_handed_on() {
    for (header, seconds) in [("retry-after: 42", Some(42)), ("retry-after: 3600", Some(3600)), ("x-none: 1", None)] {
        let tries = if seconds.is_some() { 1 } else { 4 };
        let endpoint = Endpoint::playing(vec![Play::Status(503, header, "loading".to_owned()); tries]).await;
        let error = run(&endpoint_settings(&endpoint.base_url), &meeting(), &LlmTask::Summary).await.unwrap_err();
        assert_eq!(
            (error.kind, error.retry_after),
            (FailureKind::Transient, seconds.map(Duration::from_secs)),
            "{header}"
        );
        assert_eq!(endpoint.requests().len(), tries, "{header}");
    }
}

fn check(error: &StageError, kind: FailureKind, parts: &[&str]) {
    assert_eq!(error.kind, kind, "{error}");
    for part in parts {
        assert!(error.message.contains(part), "{part:?} is missing in: {error}");
    }
}

#[tokio::test]
async fn a_hiccup_is_got_over() {
    let good = Play::Answer("They met.".to_owned());
    let busy = Play::Status(429, "retry-after-ms: 300", "busy".to_owned());
    let busy_for_a_second = Play::Status(503, "Retry-After: 1", "busy".to_owned());
    for (hiccup, least_wait) in [
        (busy, 300),
        (busy_for_a_second, 1000),
        (status(500, "oops"), 500),
        (Play::BrokenOff, 500),
        (Play::Body("{"), 500),
    ] {
        let endpoint = Endpoint::playing(vec![hiccup, good.clone()]).await;
        let answer = run(&endpoint_settings(&endpoint.base_url), &meeting(), &LlmTask::Summary).await.unwrap();
        assert_eq!((answer.output, answer.usage.calls), (json!("They met."), 1));
        let requests = endpoint.requests();
        let waited = requests[1].at - requests[0].at;
        assert!(waited >= Duration::from_millis(least_wait), "{waited:?}");
        assert_eq!(requests[0].body, requests[1].body);
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_ends_with_its_last_whole_sentence() {
    let endpoint = Endpoint::playing(vec![Play::Cut("They met. They talked! And then the".to_owned())]).await;
    let answer = run(&endpoint_settings(&endpoint.base_url), &meeting(), &LlmTask::Summary).await.unwrap();
    assert_eq!(answer.output, "They met. They talked!");
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let settings = endpoint_settings(&format!("http://user:pass-word@{address}/v1/"));
    let error = run(&settings, &meeting(), &LlmTask::Summary).await.unwrap_err();
    check(&error, FailureKind::Transient, &[&format!("http://{address}/v1"), "refused", "LONGHAND_LLM_BASE_URL"]);
    assert!(!error.message.contains("pass-word"), "{error}");
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let good = endpoint_settings("http://127.0.0.1:1/v1");
    let with_url = |url: &str| LlmSettings { base_url: url.to_owned(), ..good.clone() };
    for (settings, variable) in [
        (with_url("api.example.com"), "LONGHAND_LLM_BASE_URL"),
        (with_url("ftp://api.example.com"), "LONGHAND_LLM_BASE_URL"),
        (with_url("https://api.example.com/v1?key=1"), "LONGHAND_LLM_BASE_URL"),
        (LlmSettings { api_key: Some(Secret::new(format!("{KEY}\n"))), ..good.clone() }, "LONGHAND_LLM_API_KEY"),
        (LlmSettings { context_tokens: Some(100), ..good.clone() }, "LONGHAND_LLM_CONTEXT_TOKENS"),
    ] {
        let error = Model::open(&settings, &no_cache()).await.err().unwrap();
        check(&error, FailureKind::Setup, &[variable]);
        assert!(!error.message.contains(KEY), "{error}");
    }
}

#[tokio::test]
async fn questions_that_cannot_work_never_reach_the_model() {
    let endpoint = Endpoint::playing(Vec::new()).await;
    let settings = LlmSettings { context_tokens: Some(1024), ..endpoint_settings(&endpoint.base_url) };
    for (task, part) in [
        (question(" ", None), "the question is empty"),
        (question(&"word ".repeat(2000), None), "LONGHAND_LLM_CONTEXT_TOKENS"),
        (question("Who?", Some(json!({ "type": "thing" }))), "is no usable JSON schema"),
        (question("Who?", Some(json!({ "$ref": "https://example.com/schema.json" }))), "is no usable JSON schema"),
        (question("Who?", Some(json!(3))), "is no usable JSON schema"),
    ] {
        let error = run(&settings, &meeting(), &task).await.unwrap_err();
        check(&error, FailureKind::BadInput, &[part]);
    }
    assert_eq!(endpoint.requests().len(), 0);
}

#[tokio::test]
async fn a_cancel_ends_a_call_and_a_wait() {
    for play in [Play::Silence, Play::Status(429, "retry-after: 4", "busy".to_owned())] {
        let cancelled = CancellationToken::new();
        let stop = cancelled.clone();
        let endpoint = Endpoint::answering(move |_, _| {
            stop.cancel();
            play.clone()
        })
        .await;
        let model = Model::open(&endpoint_settings(&endpoint.base_url), &no_cache()).await.unwrap();
        let recording = meeting();
        let desk = Desk::new();
        let notes = desk.notes(&LlmTask::Summary);
        let answered = answer(&model, &recording, &LlmTask::Summary, &notes, &cancelled, |_| ());
        let error = tokio::time::timeout(Duration::from_secs(5), answered).await.unwrap().unwrap_err();
        assert_eq!(error.kind, FailureKind::Cancelled);
        assert_eq!(endpoint.requests().len(), 1);
    }
}
