//! A telephone call whose sides are recognised apart, from the recording to its text.

use std::process::Command;

use serde_json::Value;
use test_stack::{Stack, sample};

/// The sample on the left from the beginning, and once more on the right from 9 s on.
fn call(stack: &Stack) -> String {
    let path = stack.folder().join("call.wav").display().to_string();
    let sides = "[0:a]apad=whole_dur=21[l];[1:a]adelay=9000,apad=whole_dur=21[r];[l][r]amerge=inputs=2";
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-i", &sample(), "-i", &sample()])
        .args(["-filter_complex", sides, "-t", "21", &path])
        .status();
    assert!(made.unwrap().success());
    path
}

#[test]
fn the_sides_of_a_call_are_merged_by_time() {
    let stack = Stack::start();
    let call = call(&stack);
    let result = stack.json(["transcribe", &call, "--id", "call", "--language", "en", "--words", "--json"]);
    let segments = result["segments"].as_array().unwrap();
    let starts: Vec<f64> = segments.iter().map(|segment| segment["start"].as_f64().unwrap()).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    for (channel, begins) in [(1, 0.0), (2, 9.0)] {
        let own: Vec<&Value> = segments.iter().filter(|segment| segment["channel"] == channel).collect();
        let said: String = own.iter().map(|segment| segment["text"].as_str().unwrap()).collect();
        assert!(said.contains("ask what you can do for your country"), "channel {channel}: {said}");
        assert!((own[0]["start"].as_f64().unwrap() - begins).abs() < 1.5, "channel {channel}: {}", own[0]);
        assert!(
            own.iter().flat_map(|segment| segment["words"].as_array().unwrap()).all(|word| word["channel"] == channel)
        );
    }
    // Both speak at once from 9 s on, and each turn has its line.
    assert!(result["text"].as_str().unwrap().lines().count() >= 2, "{}", result["text"]);
    let vtt = stack.text(["result", "call", "--format", "vtt"]);
    assert!(vtt.contains("<v Channel 1>") && vtt.contains("<v Channel 2>"), "{vtt}");

    let mixed = stack.json(["transcribe", &call, "--language", "en", "--channels", "mix", "--json"]);
    assert!(mixed["segments"].as_array().unwrap().iter().all(|segment| segment["channel"].is_null()), "{mixed}");
}
