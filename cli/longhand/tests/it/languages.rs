//! Every stretch of speech is recognised in its own language.

use std::{fs, path::Path};

use serde_json::Value;
use test_stack::{
    Stack,
    audio::{
        Sound::{English, German, Silence},
        joined,
    },
};

#[test]
fn a_recording_that_changes_its_language_is_heard_in_both() {
    const CHANGE: f64 = 4.0 * 11.0;
    let stack = Stack::start();
    let recording = joined(&[English, English, English, English, German, German, German, German, German]);
    let recording = recording.path().to_str().unwrap();
    let first = stack.json(["transcribe", recording, "--id", "first", "--json"]);
    assert_eq!((&first["status"], &first["language"]), (&"completed".into(), &"de".into()));
    assert_eq!(first["provenance"]["parameters"]["language"], "auto");
    for segment in first["segments"].as_array().unwrap() {
        let [start, end] = ["start", "end"].map(|edge| segment[edge].as_f64().unwrap());
        assert!(end <= CHANGE + 1.0 || start >= CHANGE - 1.0, "a segment has both: {segment}");
        assert_eq!(segment["language"], if end <= CHANGE + 1.0 { "en" } else { "de" }, "{segment}");
    }
    let text = first["text"].as_str().unwrap();
    assert_eq!(text.matches("ask what you can do for your country").count(), 4, "{text}");
    assert_eq!(text.matches("die Badehose").count(), 5, "{text}");

    // What a chunk says depends neither on who recognised its neighbours nor when.
    let kept = lose_every_other_checkpoint(&stack, &first);
    let second = stack.json(["transcribe", recording, "--id", "second", "--json"]);
    assert_eq!(second["provenance"]["chunks_reused"], kept);
    assert_eq!(second["segments"], first["segments"]);
}

/// Gives the number of those that are left.
fn lose_every_other_checkpoint(stack: &Stack, result: &Value) -> usize {
    let store = stack.embedded().store.as_deref().unwrap();
    let folder = store.join(Path::new(result["provenance"]["checkpoints"].as_str().unwrap()));
    let mut checkpoints: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    checkpoints.sort();
    assert!(checkpoints.len() >= 6, "{checkpoints:?}");
    let (kept, lost): (Vec<_>, Vec<_>) = checkpoints.iter().enumerate().partition(|(place, _)| place % 2 == 0);
    lost.iter().for_each(|(_, lost)| fs::remove_file(lost).unwrap());
    kept.len()
}

#[test]
fn a_language_is_found_on_speech_among_those_that_may_be_spoken() {
    let stack = Stack::start();
    let recording = joined(&[Silence(20), German]);
    let recording = recording.path().to_str().unwrap();
    for (options, language) in [
        (vec![], "de"),
        (vec!["--languages", "English,de-AT"], "de"),
        (vec!["--languages", "en-GB,ja"], "en"),
        (vec!["--languages", "German"], "de"),
        (vec!["--language", "GERMAN"], "de"),
    ] {
        let result = stack.json([&["transcribe", recording, "--json"][..], &options[..]].concat());
        assert_eq!(result["language"], language, "{options:?}");
        assert_eq!(result["text"].as_str().unwrap().contains("Badehose"), language == "de", "{options:?}");
    }
}
