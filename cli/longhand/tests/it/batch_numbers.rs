//! How the jobs of a batch ended.

use std::fs;

use serde_json::{Value, json};
use test_stack::{INGESTION, Stack, sample};

fn numbers(stack: &Stack) -> Value {
    let shown = stack.json(["show", "box", "--json"]);
    let jobs = &shown["jobs"];
    let ends = ["completed", "completed_with_errors", "failed", "cancelled", "already_there"];
    json!([shown["jobs_done"], shown["jobs_total"], ends.map(|end| &jobs[end])])
}

#[test]
fn a_batch_counts_every_end_and_tells_it_after_its_own() {
    let mut stack = Stack::server_with(&[]);
    stack.start_worker(INGESTION);
    let folder = stack.folder().join("talks");
    fs::create_dir_all(&folder).unwrap();
    for name in ["one.flac", "two.flac"] {
        fs::copy(sample(), folder.join(name)).unwrap();
    }
    fs::write(folder.join("three.wav"), "this is no audio").unwrap();
    let batch = ["batch", folder.to_str().unwrap(), "--id", "box"];
    stack.text(batch.into_iter().chain(["--detach"]));

    // Nobody recognises anything yet, so the two good ones stand where they are.
    let find = |name: &str| {
        let listed = stack.json(["list", "--json"]);
        let mut ids = listed.as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned());
        ids.find(|id| id.contains(name))
    };
    test_stack::wait_until("the job of one.flac is there", || find("one-flac").is_some());
    let one = find("one-flac").unwrap();
    stack.wait_for(&one, "it is ingested", |state| state["stage"] == "prepare");
    stack.text(["cancel", &one]);
    stack.wait_for(&one, "it is cancelled", |state| state["status"] == "cancelled");
    stack.wait_for("box", "two jobs are over", |state| state["jobs_done"] == 2);
    assert_eq!(numbers(&stack), json!([2, 3, [0, 0, 1, 1, 0]]), "while it runs");
    stack.start_noop_recogniser();
    stack.wait_for("box", "it is over", |state| state["status"] == "completed");
    assert_eq!(numbers(&stack), json!([3, 3, [1, 0, 1, 1, 0]]), "after its end");
    let shown = stack.text(["show", "box"]);
    assert!(shown.contains("3 of 3: 1 completed, 1 failed, 1 cancelled"), "{shown}");

    let again = stack.longhand(batch.into_iter().chain(["--json"]));
    assert_eq!(again.status.code(), Some(1), "one of them is no audio");
    assert_eq!(numbers(&stack), json!([3, 3, [1, 0, 1, 0, 1]]), "what was finished was left alone");
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    let names = report["jobs"].as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["one.flac", "three.wav", "two.flac"]);
}
