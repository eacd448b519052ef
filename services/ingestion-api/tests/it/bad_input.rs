//! What is refused, and how: a status, the field, and what to do.

use reqwest::Method;
use serde_json::json;

use crate::{
    form::{Form, kind, recording},
    service::{Answer, SERVICE},
};

#[track_caller]
fn check(answer: &Answer, status: u16, param: Option<&str>, message: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    let error = &answer.json()["error"];
    assert_eq!(error["param"].as_str(), param, "{answer:?}");
    assert!(error["message"].as_str().unwrap().contains(message), "{message} in {answer:?}");
    assert!(error["type"].is_string() && error.as_object().unwrap().contains_key("code"), "{answer:?}");
}

#[tokio::test]
async fn a_form_that_is_wrong_is_refused_by_name() {
    let form = Form::new;
    let good = || form().file(b"RIFF");
    for (wrong, status, param, message) in [
        (form().text("language", "en"), 400, "file", "the form has no file"),
        (form().file(b""), 400, "file", "the file is empty"),
        (good().text("colour", "red"), 400, "colour", "there is no field \"colour\""),
        (good().file(b"RIFF"), 400, "file", "the field file twice"),
        (good().text("task", "transcribe").text("task", "translate"), 400, "task", "the field task twice"),
        (good().text("language", "klingon"), 400, "language", "no language that Whisper knows"),
        (good().text("task", "sing"), 400, "task", "unknown variant `sing`"),
        (good().text("words", "maybe"), 400, "words", "words is true or false"),
        (good().text("model", "/etc/passwd"), 404, "model", "there is no model"),
        (good().text("model", "gpt-9"), 404, "model", "name one of whisper-1, tiny"),
        (good().text("llm", "summary,poem"), 400, "llm", "unknown variant `poem`"),
        (good().text("llm", "summary,summary"), 400, "llm", "summary is asked for twice"),
        (good().text("ask", "   "), 400, "ask", "the question is empty"),
        (good().text("schema", "{}"), 400, "ask", "a schema needs a question"),
        (good().text("ask", "Who?").text("schema", "{"), 400, "schema", "the JSON is not what is expected"),
        (good().text("webhook", "ftp://example.org"), 400, "webhook", "ftp addresses are not fetched"),
        (good().text("webhook", "https://example.org/hook"), 400, "webhook", "set LONGHAND_WEBHOOK_SECRET"),
        (good().text("id", "../../etc"), 400, "id", "begin with a letter or a digit"),
        (good().part("name=\"prompt\"", b"\xff\xfe"), 400, "prompt", "prompt is not UTF-8"),
        (good().text("prompt", "a\0b"), 400, "prompt", "has a NUL character in it"),
        (good().text("ask", "a\0b"), 400, "ask", "has a NUL character in it"),
        (good().text("id", "talk.webhook"), 400, "id", "take another one"),
        (good().text("prompt", &"x".repeat(300_000)), 413, "prompt", "longer than 262144 bytes"),
    ] {
        check(&SERVICE.post_form("/v1/jobs", wrong).await, status, Some(param), message);
    }
    let endless = good().text("prompt", &"x".repeat(60_000));
    check(&SERVICE.post_form("/v1/jobs", endless).await, 400, None, "of which Temporal gets at most");
    let nameless = form().part("nothing=\"to see\"", b"x");
    check(&SERVICE.post_form("/v1/jobs", nameless).await, 400, None, "a field of the form has no name");
}

#[tokio::test]
async fn json_that_is_wrong_is_refused_by_path() {
    let url = json!({ "url": "https://example.org/a.mp3" });
    for (wrong, status, param, message) in [
        (json!({}), 400, None, "missing field `source`"),
        (json!([]), 400, None, "the JSON is not what is expected"),
        (json!({ "source": { "path": "/etc/passwd" } }), 400, Some("source"), "expected `url` or `object`"),
        (json!({ "source": { "url": "file:///etc/passwd" } }), 400, Some("source.url"), "file addresses"),
        (json!({ "source": { "url": "gopher://example.org" } }), 400, Some("source.url"), "gopher addresses"),
        (json!({ "source": { "url": "example.org" } }), 400, Some("source.url"), "no address"),
        (json!({ "source": { "object": "uploads/none" } }), 400, Some("source.object"), "has no object uploads/none"),
        (json!({ "source": { "object": "../../etc/passwd" } }), 400, Some("source.object"), "none of them . or .."),
        (json!({ "source": { "object": "/etc/passwd" } }), 400, Some("source.object"), "single slashes"),
        (json!({ "source": url, "speech": { "words": 1 } }), 400, Some("speech.words"), "expected a boolean"),
        (json!({ "source": url, "speech": { "speed": 1 } }), 400, Some("speech.speed"), "unknown field `speed`"),
        (json!({ "source": url, "speech": { "language": "xx" } }), 400, Some("speech.language"), "no language"),
        (json!({ "source": url, "speech": { "model": "m" } }), 404, Some("speech.model"), "there is no model"),
        (json!({ "source": url, "llm": ["poem"] }), 400, Some("llm[0]"), "unknown variant `poem`"),
        (json!({ "source": url, "webhook": { "url": "x" } }), 400, Some("webhook.url"), "no address"),
        (
            json!({ "source": url, "webhook": { "url": "https://example.org/hook" } }),
            400,
            Some("webhook.url"),
            "webhooks are never sent unsigned",
        ),
        (json!({ "source": url, "id": "a b" }), 400, Some("id"), "at most 200 letters"),
        (json!({ "source": url, "id": "talk.webhook" }), 400, Some("id"), "take another one"),
        (json!({ "source": url, "id": "talk.llm.summary" }), 400, Some("id"), "take another one"),
        (json!({ "source": url, "speech": { "prompt": "a\0b" } }), 400, Some("speech.prompt"), "a NUL character"),
        (json!({ "source": url, "llm": [{ "ask": { "text": "\0" } }] }), 400, Some("llm[0].ask.text"), "a NUL"),
        (json!({ "source": { "object": "jobs/a/result.json" } }), 400, Some("source.object"), "has no object"),
        (json!({ "source": { "object": "uploads/incoming/a" } }), 400, Some("source.object"), "has no object"),
        (json!({ "source": url, "speech": { "prompt": "x".repeat(60_000) } }), 400, None, "shorten its prompt"),
    ] {
        check(&SERVICE.post_json("/v1/jobs", &wrong).await, status, param, message);
    }
    for (wrong, status, param, message) in [
        (json!({ "sources": [] }), 400, "sources", "name at least one"),
        (json!({ "sources": [url, url] }), 400, "sources[1]", "is named twice"),
        (json!({ "sources": [url, { "object": "none" }] }), 400, "sources[1].object", "has no object none"),
        (json!({ "sources": [url], "concurrency": 0 }), 400, "concurrency", "1 to 500"),
        (json!({ "sources": [url], "id": "talk.llm.ask" }), 400, "id", "take another one"),
    ] {
        check(&SERVICE.post_json("/v1/batches", &wrong).await, status, Some(param), message);
    }
    // As long as a request of one job may be, and no longer.
    let long = json!({ "sources": [url], "speech": { "prompt": "x".repeat(60_000) } });
    check(&SERVICE.post_json("/v1/batches", &long).await, 400, None, "shorten its prompt");
}

#[tokio::test]
async fn a_request_that_is_no_request_of_this_service_is_refused() {
    let send = async |method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        SERVICE.send(method, path, headers, body.to_vec()).await
    };
    let (json, form) = (("content-type", "application/json"), kind());
    let form = ("content-type", form.as_str());
    let long_key = "x".repeat(256);
    for (method, path, headers, body, status, param, message) in [
        (Method::GET, "/v1/nothing", vec![], "", 404, None, "/docs shows what there is"),
        (Method::PUT, "/v1/jobs", vec![], "", 405, None, "the Allow header names those"),
        (Method::DELETE, "/v1/jobs/a%2Fb", vec![], "", 400, None, "at most 200 letters"),
        (Method::POST, "/v1/jobs", vec![], "{}", 415, None, "Content-Type: application/json"),
        (Method::POST, "/v1/jobs", vec![("content-type", "text/plain")], "{}", 415, None, "has to be JSON"),
        (Method::POST, "/v1/jobs", vec![json], "{", 400, None, "EOF while parsing"),
        (Method::POST, "/v1/jobs", vec![json], "", 400, None, "EOF while parsing"),
        (Method::POST, "/v1/jobs", vec![("content-type", "multipart/form-data")], "x", 400, None, "has to be a form"),
        (Method::POST, "/v1/jobs", vec![form], "x", 400, None, "the form cannot be read"),
        (Method::POST, "/v1/audio/transcriptions", vec![json], "{}", 400, None, "has to be a form"),
        (Method::POST, "/v1/batches", vec![form], "x", 415, None, "has to be JSON"),
        (
            Method::POST,
            "/v1/jobs",
            vec![json, ("idempotency-key", long_key.as_str())],
            "{}",
            400,
            Some("Idempotency-Key"),
            "1 to 255 printable",
        ),
        (
            Method::POST,
            "/v1/jobs",
            vec![json, ("idempotency-key", "a")],
            r#"{"source":{"url":"https://example.org"},"id":"a"}"#,
            400,
            Some("id"),
            "not both",
        ),
        (Method::GET, "/v1/models/gpt-9", vec![], "", 404, Some("model"), "there is no model"),
    ] {
        check(&send(method, path, &headers, body.as_bytes()).await, status, param, message);
    }
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    for path in ["/v1/jobs", "/v1/batches"] {
        check(&send(Method::POST, path, &[json], large.as_bytes()).await, 413, None, "the body is too large");
    }
    let torn = Form::new().file(&recording()).torn();
    check(&send(Method::POST, "/v1/jobs", &[form], &torn).await, 400, None, "the form cannot be read");
}
