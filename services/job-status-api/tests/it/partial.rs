//! The text of a job that goes on, and of one that was cancelled before its end.

use std::{fs, path::PathBuf};

use reqwest::StatusCode;
use serde_json::Value;
use test_stack::{TRANSCRIPTION, audio::repeated_sample};

use crate::service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn the_text_so_far_is_there_while_a_job_goes_on_and_after_its_cancel() {
    let mut service = Service::start();
    let recording = repeated_sample(900);
    let asked = ["--language", "en", "--id", "part", "--detach"];
    service.stack.text([&["transcribe", recording.path().to_str().unwrap()][..], &asked[..]].concat());
    service.stack.wait_for("part", "some chunks are done", |state| state["chunks_done"].as_u64() >= Some(3));
    // What is there stays as it is.
    service.stack.kill(TRANSCRIPTION);
    let checkpoints = checkpoints(&service);
    assert!(checkpoints >= 3);

    let whole = service.get("/v1/jobs/part/transcript.txt").await;
    assert_eq!(whole.status(), StatusCode::CONFLICT, "it is not whole");
    let partial = service.get("/v1/jobs/part/partial.json").await;
    assert_eq!(
        (partial.status(), &partial.headers()["x-longhand-status"]),
        (StatusCode::OK, &"running".parse().unwrap())
    );
    let partial: Value = partial.json().await.unwrap();
    let text = partial["text"].as_str().unwrap();
    assert!(text.contains("my fellow Americans"), "{text}");
    assert_eq!((chunks(&partial), &partial["job_id"]), (checkpoints, &"part".into()));
    let starts = partial["segments"].as_array().unwrap().iter().map(|segment| segment["start"].as_f64().unwrap());
    assert!(starts.is_sorted(), "{text}");

    let refused = service.stack.longhand(["result", "part"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--partial gives the text so far"));
    let printed = service.stack.longhand(["result", "part", "--partial"]);
    assert_eq!((printed.status.code(), String::from_utf8(printed.stdout).unwrap().trim()), (Some(0), text));
    let says = format!("part goes on: this is the text of {checkpoints} of ");
    assert!(String::from_utf8_lossy(&printed.stderr).contains(&says), "{says}");

    service.stack.text(["cancel", "part"]);
    service.stack.wait_for("part", "it is over", |state| state["status"] == "cancelled");
    let shown = service.stack.json(["show", "part", "--json"]);
    assert_eq!(shown["chunks_done"].as_u64(), Some(checkpoints as u64), "{shown}");
    assert_eq!(service.json("/v1/jobs/part").await["chunks_done"].as_u64(), Some(checkpoints as u64));
    for document in ["transcript", "partial"] {
        let kept = service.get(&format!("/v1/jobs/part/{document}.txt")).await;
        assert_eq!(kept.headers()["x-longhand-status"], "cancelled", "{document}");
        assert_eq!(kept.text().await.unwrap().trim(), text, "{document}");
    }
    let kept = service.stack.longhand(["result", "part", "--partial"]);
    assert_eq!((kept.status.code(), String::from_utf8(kept.stdout).unwrap().trim()), (Some(1), text));
}

fn chunks(result: &Value) -> usize {
    let made = &result["provenance"];
    ["chunks_computed", "chunks_reused"].map(|count| made[count].as_u64().unwrap() as usize).iter().sum()
}

/// The job's chunks in the store.
fn checkpoints(service: &Service) -> usize {
    let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let segmentations = entries(service.stack.folder().join("store/audio")).flat_map(entries);
    segmentations.flat_map(|folder| entries(folder.join("chunks"))).flat_map(entries).count()
}
