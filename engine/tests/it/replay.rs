//! Recorded histories of every workflow are replayed, so that a change that would break running
//! jobs fails here. `histories/README.md` says how they are recorded.

use std::path::{Path, PathBuf};

use engine::temporal::workflows::{
    BatchWorkflow, DeliverWorkflow, HousekeepingWorkflow, LlmWorkflow, PurgeWorkflow, TranscribeWorkflow,
};
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

/// No payload in any history comes near Temporal's limits.
const MOST_BYTES: usize = 64 * 1024;

/// What must be on record.
const RECORDED: [&str; 19] = [
    "batch",
    "batch_numbers",
    "cancelled",
    "cancelled_ends_here",
    "completed",
    "continued",
    "cut_meanwhile",
    "deliver",
    "delivery_by_run",
    "ends_here",
    "failed_ingest",
    "failed_llm",
    "head_start",
    "housekeeping",
    "llm",
    "purge",
    "purge_running",
    "retried",
    "with_webhook",
];

fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut recordings: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    recordings.sort();
    recordings
}

#[test]
fn every_way_to_end_is_recorded() {
    let recordings = recordings();
    let names: Vec<_> = recordings.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    for needed in RECORDED {
        assert!(names.contains(&needed), "{needed} is missing among {names:?}");
    }
}

#[tokio::test]
async fn recorded_histories_replay() {
    for path in recordings() {
        let options = WorkflowReplayerOptions::new()
            .register_workflow::<TranscribeWorkflow>()
            .unwrap()
            .register_workflow::<LlmWorkflow>()
            .unwrap()
            .register_workflow::<BatchWorkflow>()
            .unwrap()
            .register_workflow::<DeliverWorkflow>()
            .unwrap()
            .register_workflow::<PurgeWorkflow>()
            .unwrap()
            .register_workflow::<HousekeepingWorkflow>()
            .unwrap()
            .build();
        let history = WorkflowHistory::from_json(&std::fs::read(&path).unwrap()).unwrap();
        let replayed = WorkflowReplayer::new(options).unwrap().replay_workflow(history).await;
        replayed.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    }
}

#[test]
fn recorded_payloads_are_small() {
    for path in recordings() {
        let history: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let largest = largest_payload(&history);
        assert!((1..MOST_BYTES).contains(&largest), "{}: {largest} bytes", path.display());
    }
}

/// Bytes of the longest `data` field: base64, so a third more than the payload itself.
fn largest_payload(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Object(fields) => {
            let own = fields.get("data").and_then(|data| data.as_str()).map_or(0, str::len);
            fields.values().map(largest_payload).max().unwrap_or_default().max(own)
        }
        serde_json::Value::Array(items) => items.iter().map(largest_payload).max().unwrap_or_default(),
        _ => 0,
    }
}
