//! Clients that wait for their text and hang up before it is there.

use std::time::Duration;

use reqwest::{Method, Response};
use test_stack::audio::repeated_sample;

use crate::{
    form::{Form, kind},
    service::{SERVICE, STACK},
};

/// Long enough that nobody has its text when the client hangs up.
const LONG: u32 = 900;

/// Asks, and comes back when the answer begins. `prompt` keeps the chunks of the tests apart.
async fn ask(prompt: &str, stream: &str, seconds: u32, headers: &[(&str, &str)]) -> Response {
    engine::tls::install_provider();
    let recording = std::fs::read(repeated_sample(seconds).path()).unwrap();
    let form = Form::new().text("language", "en").text("prompt", prompt).text("stream", stream).file(&recording);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/v1/audio/transcriptions", SERVICE.address);
    let request = client.request(Method::POST, url).header("content-type", kind()).body(form.end());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.timeout(Duration::from_secs(300)).send().await.unwrap()
}

/// The id in the head of an answer.
fn job(answer: &Response) -> String {
    assert_eq!(answer.status(), 200);
    answer.headers()["x-longhand-job"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_client_hangs_up_is_cancelled_and_its_id_was_told_before() {
    for stream in ["true", "false"] {
        let answer = ask(&format!("Hung up, {stream}."), stream, LONG, &[]).await;
        let id = job(&answer);
        assert_eq!(STACK.json(["show", &id, "--json"])["status"], "running", "it is told while the job goes on");
        drop(answer);
        STACK.wait_for(&id, "the job is cancelled", |job| job["status"] == "cancelled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_without_its_client_where_that_is_asked_for() {
    for (name, value) in [("x-longhand-keep", "true"), ("idempotency-key", "kept 17")] {
        let answer = ask(&format!("Kept by {name}."), "false", 60, &[(name, value)]).await;
        let id = job(&answer);
        drop(answer);
        STACK.wait_for(&id, "the job has ended", |job| job["status"] != "running");
        assert_eq!(STACK.json(["show", &id, "--json"])["status"], "completed", "with {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_began_early_is_whole() {
    let answer = ask("Whole.", "false", 60, &[]).await;
    let id = job(&answer);
    let text = answer.json::<serde_json::Value>().await.unwrap();
    let result = STACK.json(["result", &id, "--json"]);
    assert_eq!(text["text"], result["text"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_began_and_has_no_text_breaks_off() {
    let answer = ask("Broken off.", "false", LONG, &[]).await;
    STACK.text(["cancel", &job(&answer)]);
    assert!(answer.bytes().await.is_err(), "nobody takes it for the text");
}
