//! No crash loses a job or computes a finished chunk twice.

use serde_json::{Value, json};
use test_stack::{INGESTION, LLM, Stack, TRANSCRIPTION, audio::repeated_sample};

/// Every worker and the Temporal server itself are killed with signal 9 while a ten-minute
/// recording is being transcribed.
#[test]
fn a_job_survives_the_death_of_every_process() {
    let recording = repeated_sample(600);
    let recording = recording.path().to_str().unwrap();
    let undisturbed = {
        let stack = Stack::start();
        stack.json(["transcribe", recording, "--language", "en", "--json"])
    };

    let mut stack = Stack::start();
    let submitted = ["transcribe", recording, "--language", "en", "--llm", "summary", "--id", "unlucky", "--detach"];
    stack.text(submitted);
    stack.wait_for("unlucky", "three chunks are done", |state| chunks_done(state) >= 3);
    stack.kill(TRANSCRIPTION);
    stack.start_worker(TRANSCRIPTION);
    stack.wait_for("unlucky", "two more chunks are done", |state| chunks_done(state) >= 5);
    stack.kill(INGESTION);
    stack.start_worker(INGESTION);
    stack.wait_for("unlucky", "two more chunks are done", |state| chunks_done(state) >= 7);
    stack.kill_server();
    stack.start_server();
    stack.wait_for("unlucky", "the language model is at work", |state| state["stage"] == "llm");
    stack.kill(LLM);
    stack.start_worker(LLM);

    let disturbed: Value = stack.json(["watch", "unlucky", "--json"]);
    assert_eq!(disturbed["status"], "completed", "{disturbed}");
    assert_eq!(disturbed["text"], undisturbed["text"]);
    assert_eq!(disturbed["segments"], undisturbed["segments"]);
    assert!(disturbed["llm"]["summary"].as_str().is_some_and(|summary| !summary.is_empty()));
    let made = &disturbed["provenance"];
    let total = &undisturbed["provenance"]["chunks_total"];
    assert!(total.as_u64().is_some_and(|chunks| chunks >= 10), "{total} chunks");
    assert_eq!(
        json!([made["chunks_computed"], made["chunks_reused"], made["chunks_recomputed"]]),
        json!([total, 0, 0]),
        "no finished chunk is computed twice"
    );
}

fn chunks_done(state: &Value) -> u64 {
    state["chunks_done"].as_u64().unwrap_or_default()
}
