//! The main job from end to end, on the real server with the real models.

use std::{fs, sync::LazyLock};

use serde_json::{Value, json};
use test_stack::{
    Stack,
    audio::{repeated_sample, silence},
    sample,
};

/// One stack for all tests of this file; their jobs do not meet.
static STACK: LazyLock<Stack> = LazyLock::new(Stack::start);

const SAID: &str = "ask not what your country can do for you";

#[test]
fn a_recording_becomes_text_in_every_format() {
    for (format, begins, contains) in [
        ("txt", "And so my fellow Americans", SAID),
        ("json", "{", "\"status\": \"completed\""),
        ("verbose_json", "{", "\"language\": \"english\""),
        ("srt", "1\n00:00:0", " --> 00:00:"),
        ("vtt", "WEBVTT\n\n00:0", " --> "),
    ] {
        let text = STACK.text(["transcribe", &sample(), "--format", format]);
        assert!(text.trim_start().starts_with(begins), "{format}: {text}");
        assert!(text.contains(contains), "{format}: {text}");
    }
}

#[test]
fn the_result_says_what_it_was_made_of() {
    // A language of its own, so that no other test has made these chunks.
    let arguments = ["transcribe", &sample(), "--language", "en", "--prompt", "A speech.", "--words", "--json"];
    let first = STACK.json(arguments);
    let second = STACK.json(arguments);
    assert_eq!(first["version"], 1);
    assert_eq!(first["status"], "completed");
    assert_eq!(first["language"], "en");
    assert_eq!(first["duration_s"], 11.0);
    assert!(first["text"].as_str().unwrap().contains(SAID), "{}", first["text"]);
    assert_words_follow_each_other(&first);
    let [made, made_again] = [&first, &second].map(|result| {
        let provenance = &result["provenance"];
        json!([provenance["chunks_computed"], provenance["chunks_reused"], provenance["chunks_recomputed"]])
    });
    let chunks = &first["provenance"]["chunks_total"];
    assert_eq!(made, json!([chunks, 0, 0]), "computed once");
    assert_eq!(made_again, json!([0, chunks, 0]), "the same audio is computed no second time");
    assert_eq!(first["segments"], second["segments"]);
    for seconds in ["queue_s", "ingest_s", "transcribe_s", "llm_s", "wall_s", "recogniser_s"] {
        assert!(first["timings"][seconds].is_f64(), "{seconds}: {}", first["timings"]);
    }
}

fn assert_words_follow_each_other(result: &Value) {
    let words = result["words"].as_array().unwrap();
    assert!(words.len() >= 20, "{} words", words.len());
    let mut last = 0.0;
    for word in words {
        let (start, end) = (word["start"].as_f64().unwrap(), word["end"].as_f64().unwrap());
        assert!(last <= start && start <= end && end <= 11.1, "{word}");
        last = start;
    }
}

#[test]
fn the_same_id_is_the_same_job() {
    let first = STACK.json(["transcribe", &sample(), "--id", "only-once", "--json"]);
    let second = STACK.json(["transcribe", &sample(), "--id", "only-once", "--json"]);
    assert_eq!(first, second);
    let listed = STACK.json(["list", "--json"]);
    let same = listed.as_array().unwrap().iter().filter(|job| job["id"] == "only-once");
    assert_eq!(same.count(), 1);
}

#[test]
fn silence_gives_no_text() {
    let recording = silence(60);
    let result = STACK.json(["transcribe", recording.path().to_str().unwrap(), "--llm", "summary", "--json"]);
    assert_eq!((&result["status"], &result["text"]), (&json!("completed"), &json!("")));
    assert_eq!(result["segments"], json!([]));
    assert_eq!(result["provenance"]["llm"]["summary"]["calls"], 0, "nothing is asked about nothing");
}

#[test]
fn the_local_model_answers_and_can_be_asked_again() {
    let schema = STACK.folder().join("schema.json");
    fs::write(&schema, r#"{"type":"object","properties":{"country":{"type":"string"}},"required":["country"]}"#)
        .unwrap();
    let ask = ["--ask", "Which country is spoken of?", "--schema", schema.to_str().unwrap()];
    let arguments = ["transcribe", &sample(), "--llm", "summary", "--id", "asked", "--json"];
    let result = STACK.json(arguments.into_iter().chain(ask));
    assert_eq!(result["status"], "completed", "{result}");
    assert!(result["llm"]["summary"].as_str().is_some_and(|summary| !summary.is_empty()));
    assert!(result["llm"]["ask"]["country"].is_string(), "{}", result["llm"]["ask"]);
    assert!(result["provenance"]["llm"]["ask"]["completion_tokens"].as_u64().is_some_and(|tokens| tokens > 0));

    STACK.text(["llm", "asked", "--task", "actions"]);
    let amended = STACK.json(["result", "asked", "--json"]);
    assert!(amended["llm"]["actions"].is_array(), "{}", amended["llm"]);
    assert_eq!(amended["llm"]["summary"], result["llm"]["summary"]);
}

#[test]
fn a_cancelled_job_stops_and_keeps_the_text_that_it_has() {
    let recording = repeated_sample(900);
    // A prompt of its own keeps the checkpoints of other tests out of the way.
    let prompt = ["--prompt", "To be cancelled.", "--id", "unwanted", "--detach"];
    STACK.text(["transcribe", recording.path().to_str().unwrap()].into_iter().chain(prompt));
    STACK.wait_for("unwanted", "a chunk is done", |state| state["chunks_done"].as_u64() >= Some(1));
    STACK.text(["cancel", "unwanted"]);
    STACK.wait_for("unwanted", "the job is over", |state| state["status"] == "cancelled");
    let watched = STACK.longhand(["watch", "unwanted", "--json"]);
    assert_eq!(watched.status.code(), Some(1));
    let result: Value = serde_json::from_slice(&watched.stdout).unwrap();
    assert_eq!(result["status"], "cancelled");
    let provenance = &result["provenance"];
    let chunks = provenance["chunks_computed"].as_u64().unwrap();
    assert!(chunks >= 1 && chunks < provenance["chunks_total"].as_u64().unwrap(), "{provenance}");
    let texts: Vec<_> = result["segments"].as_array().unwrap().iter().map(|segment| &segment["text"]).collect();
    assert!(texts[0].as_str().unwrap().contains("my fellow Americans"), "{texts:?}");

    let shown = STACK.longhand(["result", "unwanted"]);
    assert_eq!(shown.status.code(), Some(1));
    assert_eq!(String::from_utf8(shown.stdout).unwrap().trim(), result["text"].as_str().unwrap());
    let says = format!("unwanted was cancelled: this is the text of {chunks} of {} chunks", provenance["chunks_total"]);
    assert!(String::from_utf8(shown.stderr).unwrap().contains(&says), "{says}");
}

#[test]
fn temporal_alone_can_start_a_job() {
    let input = json!({ "source": { "path": sample() } }).to_string();
    let start = ["workflow", "start", "--type", "transcribe", "--task-queue", "longhand", "--workflow-id", "by-hand"];
    let started = STACK.temporal(&[&start[..], &["--input", &input]].concat());
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    let result = STACK.json(["watch", "by-hand", "--json"]);
    assert!(result["text"].as_str().unwrap().contains(SAID), "{result}");
}

#[test]
fn a_batch_runs_every_recording_and_names_the_bad_one() {
    let folder = STACK.folder().join("batch");
    fs::create_dir_all(&folder).unwrap();
    for name in ["one.flac", "two.flac"] {
        fs::copy(sample(), folder.join(name)).unwrap();
    }
    fs::write(folder.join("three.wav"), "this is no audio").unwrap();
    let batch = STACK.longhand(["batch", folder.to_str().unwrap(), "--concurrency", "2", "--id", "box", "--json"]);
    assert_eq!(batch.status.code(), Some(1), "{}", String::from_utf8_lossy(&batch.stderr));
    let jobs: Value = serde_json::from_slice(&batch.stdout).unwrap();
    let statuses = jobs["jobs"].as_array().unwrap().iter().map(|job| job["status"].as_str().unwrap());
    let mut statuses: Vec<_> = statuses.collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["completed", "completed", "failed"], "{jobs}");
}

#[test]
fn no_payload_is_large() {
    let recording = repeated_sample(300);
    let arguments = ["transcribe", recording.path().to_str().unwrap(), "--language", "en", "--words", "--json"];
    let id = STACK.json(arguments)["job_id"].as_str().unwrap().to_owned();
    let history = STACK.history(&id);
    assert!(history["events"].as_array().unwrap().len() > 20);
    let mut largest = 0;
    visit_payloads(&history, &mut |payload| largest = largest.max(payload.len()));
    assert!(largest > 0 && largest < 64 * 1024, "{largest} bytes");
}

fn visit_payloads(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(data)) = fields.get("data") {
                visit(data);
            }
            fields.values().for_each(|field| visit_payloads(field, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| visit_payloads(item, visit)),
        _ => {}
    }
}
