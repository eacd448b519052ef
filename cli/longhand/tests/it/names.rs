//! What recordings are called, and whose ids are whose.

use std::fs;

use serde_json::{Value, json};
use test_stack::{INGESTION, Stack, sample};

fn german() -> String {
    format!("{}/../../workers/transcription-worker/tests/samples/german.flac", env!("CARGO_MANIFEST_DIR"))
}

/// Nothing of this needs to be heard.
fn stack() -> Stack {
    let mut stack = Stack::server_with(&[]);
    stack.start_worker(INGESTION);
    stack.start_noop_recogniser();
    stack
}

#[test]
fn a_recording_has_its_name_everywhere() {
    let stack = stack();
    stack.text(["transcribe", &sample(), "--id", "plain"]);
    stack.text(["transcribe", &german(), "--id", "given", "--name", " Pfann\u{1b}kuchen\u{202e} "]);
    let not_audio = stack.folder().join("notes.wav");
    fs::write(&not_audio, "this is no audio at all").unwrap();
    let failed = stack.longhand(["transcribe", not_audio.to_str().unwrap(), "--id", "broken", "--json"]);

    for (id, name) in [("plain", "jfk.flac"), ("given", "Pfannkuchen"), ("broken", "notes.wav")] {
        assert_eq!(stack.json(["show", id, "--json"])["name"], name, "{id}");
        let result: Value = serde_json::from_slice(&stack.longhand(["result", id, "--json"]).stdout).unwrap();
        assert_eq!(result["name"], name, "{id}");
        let told = String::from_utf8(stack.longhand(["watch", id]).stderr).unwrap();
        assert!(told.contains(&format!("{name} ({id})")), "{told}");
        let lists = || stack.json(["list", "--json"]).as_array().unwrap().iter().any(|job| job["name"] == name);
        test_stack::wait_until(&format!("{name} is listed"), lists);
    }
    let list = stack.text(["list"]);
    assert!(["NAME", "jfk.flac", "Pfannkuchen", "notes.wav"].iter().all(|word| list.contains(word)), "{list}");

    let result: Value = serde_json::from_slice(&failed.stdout).unwrap();
    let message = result["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("notes.wav") && !message.contains("uploads/"), "{message}");
}

#[test]
fn an_id_is_its_first_recordings() {
    let stack = stack();
    let transcribe =
        |file: &str, more: &[&str]| stack.longhand([&["transcribe", file, "--id", "one", "--json"], more].concat());
    let first = transcribe(&sample(), &[]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    for (what, refused) in [
        ("another recording", transcribe(&german(), &[])),
        ("another language", transcribe(&sample(), &["--language", "de"])),
    ] {
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{what}: {stderr}");
        assert!(stderr.contains("the id one is taken"), "{what}: {stderr}");
    }
    let recordings = fs::read_dir(stack.folder().join("store/references")).unwrap().count();
    assert_eq!(recordings, 1, "what is refused leaves nothing behind");
    let again = transcribe(&sample(), &["--name", "the same, called otherwise"]);
    assert_eq!((again.status.code(), &again.stdout), (Some(0), &first.stdout), "{again:?}");
}

/// What a batch prints that ends with this exit code.
#[track_caller]
fn report_of(stack: &Stack, recordings: &str, id: &str, code: i32) -> Value {
    let ended = stack.longhand(["batch", recordings, "--id", id, "--json"]);
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn one_broken_recording_stops_no_batch() {
    let stack = stack();
    let folder = stack.folder().join("talks");
    fs::create_dir_all(folder.join("more")).unwrap();
    fs::copy(sample(), folder.join("good.flac")).unwrap();
    fs::copy(german(), folder.join("more/better.flac")).unwrap();
    fs::write(folder.join("empty.wav"), "").unwrap();
    fs::write(folder.join("notes.wav"), "this is no audio at all").unwrap();
    let ended = report_of(&stack, folder.to_str().unwrap(), "box", 1);
    assert_eq!(ended["status"], "completed_with_errors");
    let jobs = ended["jobs"].as_array().unwrap();
    let stand = |name: &str| {
        let job = jobs.iter().find(|job| job["name"] == name).unwrap_or_else(|| panic!("{name} is missing: {ended}"));
        json!([job["status"], job["id"].is_string(), job["error"].is_string()])
    };
    for (name, stands) in [
        ("good.flac", json!(["completed", true, false])),
        ("more/better.flac", json!(["completed", true, false])),
        ("empty.wav", json!(["failed", false, true])),
        ("notes.wav", json!(["failed", true, true])),
    ] {
        assert_eq!(stand(name), stands, "{name}");
    }
    let names = || {
        let listed = stack.json(["list", "--json"]);
        let named = |name: &str| listed.as_array().unwrap().iter().any(|job| job["name"] == name);
        ["good.flac", "more/better.flac", "notes.wav"].into_iter().all(named)
    };
    test_stack::wait_until("all are listed by their names", names);

    let list = stack.folder().join("list.txt");
    fs::write(&list, format!("# a comment\n{}\tThe talk\nmissing.wav\n", sample())).unwrap();
    let listed = report_of(&stack, &list.display().to_string(), "listed", 1);
    let names: Vec<&Value> = listed["jobs"].as_array().unwrap().iter().map(|job| &job["name"]).collect();
    assert_eq!(names, ["The talk", "missing.wav"]);
    assert_eq!(stack.json(["show", listed["jobs"][0]["id"].as_str().unwrap(), "--json"])["name"], "The talk");

    let empty = fs::remove_file(folder.join("empty.wav")).and_then(|()| fs::remove_file(folder.join("notes.wav")));
    empty.unwrap();
    assert_eq!(report_of(&stack, folder.to_str().unwrap(), "box", 0)["status"], "completed");
}
