//! Bad input and bad settings: a clear error, no retry, no dead worker.

use std::{fs, sync::LazyLock};

use serde_json::{Value, json};
use test_stack::{LLM, SmallDisk, Stack, TRANSCRIPTION, sample};

static STACK: LazyLock<Stack> = LazyLock::new(Stack::start);

/// The job fails in its first attempt, with a message that holds all of `says`.
#[track_caller]
fn check_fails(stack: &Stack, id: &str, request: &Value, stage: &str, says: &[&str]) {
    let input = request.to_string();
    let start = ["workflow", "start", "--type", "transcribe", "--task-queue", "longhand", "--workflow-id", id];
    assert!(stack.temporal(&[&start[..], &["--input", &input]].concat()).status.success());
    let output = stack.longhand(["watch", id, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["status"], "failed", "{result}");
    assert_eq!(result["errors"][0]["stage"], stage, "{result}");
    let message = result["errors"][0]["message"].as_str().unwrap();
    for fragment in says {
        assert!(message.contains(fragment), "{fragment:?} is missing in {message:?}");
    }
    for event in stack.history(id)["events"].as_array().unwrap() {
        let attempt = &event["activityTaskStartedEventAttributes"]["attempt"];
        assert!(attempt.is_null() || attempt == 1, "retried: {event}");
    }
}

#[test]
fn bad_sources_fail_at_once_with_a_reason() {
    let folder = STACK.folder().join("bad");
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let flac = fs::read(sample()).unwrap();
    let cases = [
        ("empty", json!({"path": write("empty.wav", b"")}), vec!["empty.wav", "empty"]),
        ("text", json!({"path": write("text.wav", b"this is no audio at all")}), vec!["text.wav"]),
        ("truncated", json!({"path": write("cut.flac", &flac[..flac.len() / 3])}), vec!["cut.flac", "ends early"]),
        ("missing", json!({"path": folder.join("none.wav")}), vec!["none.wav"]),
        ("folder", json!({"path": folder}), vec!["bad"]),
        ("private", json!({"url": "http://127.0.0.1:9/a.wav"}), vec!["127.0.0.1", "LONGHAND_ALLOW_PRIVATE_URLS"]),
        ("scheme", json!({"url": "file:///etc/passwd"}), vec!["file"]),
        ("object", json!({"object": "uploads/nothing"}), vec!["uploads/nothing"]),
    ];
    for (id, source, says) in cases {
        check_fails(&STACK, &format!("bad-{id}"), &json!({ "source": source }), "ingest", &says);
    }
    assert!(STACK.text(["transcribe", &sample()]).contains("country"), "the workers are alive and well");
}

#[test]
fn bad_options_fail_at_once_with_a_reason() {
    let source = json!({ "path": sample() });
    let cases = [
        ("model", json!({"model": "gigantic"}), vec!["gigantic"]),
        ("model-path", json!({"model": "/nowhere/model.bin"}), vec!["/nowhere/model.bin"]),
        ("language", json!({"language": "klingon"}), vec!["klingon", "auto"]),
        ("unlearnt", json!({"model": "base", "language": "yue"}), vec!["base", "yue", "large-v3-turbo"]),
        ("prompt", json!({"language": "en", "prompt": "a\0b"}), vec!["NUL character"]),
    ];
    for (id, speech, says) in cases {
        check_fails(&STACK, &format!("bad-{id}"), &json!({ "source": source, "speech": speech }), "transcribe", &says);
    }
}

#[test]
fn what_a_worker_does_not_offer_or_has_no_room_for_is_refused() {
    let mut stack = Stack::start_with(&[("LONGHAND_MODELS", "small, base")]);
    let speech = json!({"model": "large-v3"});
    let request = json!({ "source": { "path": sample() }, "speech": speech });
    check_fails(&stack, "not-offered", &request, "transcribe", &["large-v3", "name one of small, base"]);

    stack.kill(TRANSCRIPTION);
    stack.set("LONGHAND_TRANSCRIBE_MEMORY_MB", "200");
    stack.start_worker(TRANSCRIPTION);
    let request = json!({ "source": { "path": sample() } });
    check_fails(&stack, "too-large", &request, "transcribe", &["base", "0.4 GB", "0.2 GB"]);
}

#[test]
fn an_input_that_is_no_request_fails_the_workflow() {
    for (id, input) in [("typo", r#"{"sauce":{"path":"a.wav"}}"#), ("no-json", r#""hello""#)] {
        let start = ["workflow", "execute", "--type", "transcribe", "--task-queue", "longhand", "--workflow-id", id];
        let ended = STACK.temporal(&[&start[..], &["--input", input, "--output", "json"]].concat());
        let stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(stdout.contains("the workflow's input is wrong"), "{stdout}");
    }
}

/// A language model that cannot be had costs its answer only; put right, the task runs again alone.
#[test]
fn a_failed_llm_task_keeps_the_transcript_and_can_be_run_again() {
    let nobody = [
        ("LONGHAND_LLM_PROVIDER", "openai"),
        ("LONGHAND_LLM_BASE_URL", "http://127.0.0.1:9/v1"),
        ("LONGHAND_LLM_PATIENCE_SECONDS", "1"),
    ];
    let mut stack = Stack::start_with(&nobody);
    let arguments = ["transcribe", &sample(), "--llm", "summary", "--id", "unanswered", "--json"];
    let output = stack.longhand(arguments);
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["status"], "completed_with_errors", "{result}");
    assert_eq!(result["errors"][0]["stage"], "llm:summary");
    let message = result["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("LONGHAND_LLM_BASE_URL"), "{message}");
    assert!(result["text"].as_str().unwrap().contains("country"));

    stack.kill(LLM);
    stack.set("LONGHAND_LLM_PROVIDER", "local");
    stack.start_worker(LLM);
    stack.text(["llm", "unanswered", "--task", "summary"]);
    let amended = stack.json(["result", "unanswered", "--json"]);
    assert_eq!(amended["status"], "completed", "{amended}");
    assert!(amended["llm"]["summary"].as_str().is_some_and(|summary| !summary.is_empty()));
    assert_eq!(amended["text"], result["text"]);
}

#[test]
fn a_full_store_is_said_to_be_full() {
    let disk = SmallDisk::mount("64k");
    let store = disk.path().join("store");
    let stack = Stack::start_with(&[("LONGHAND_STORE", store.to_str().unwrap())]);
    let says = ["no space left", "LONGHAND_STORE"];
    check_fails_without_result(&stack, &json!({ "source": { "path": sample() } }), &says);
    assert!(stack.all_alive());
}

/// As [`check_fails`], where not even the result can be written.
#[track_caller]
fn check_fails_without_result(stack: &Stack, request: &Value, says: &[&str]) {
    let input = request.to_string();
    let run = ["workflow", "execute", "--type", "transcribe", "--task-queue", "longhand", "--workflow-id", "full"];
    let ended = stack.temporal(&[&run[..], &["--input", &input, "--output", "json"]].concat());
    let stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
    for fragment in says {
        assert!(stdout.contains(fragment), "{fragment:?} is missing in {stdout}");
    }
}
