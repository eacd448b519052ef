//! Jobs that are wanted gone are gone, with their recordings, and nothing else is.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use test_stack::{INGESTION, Stack, audio::repeated_sample, sample, wait_until};

const SHA256: &str = "09352ed44ba259a74d8c220bf456b6dfe3b2d86bcd86920735fe3b6896d90e9d";

/// Every file of the store, by its key. That all jobs have references is no job's.
fn stored(stack: &Stack) -> BTreeSet<String> {
    let root = stack.folder().join("store");
    let mut found = BTreeSet::new();
    walk(&root, &root, &mut found);
    found.remove("references/complete");
    found
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    // Folders go while they are looked at.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

fn transcribe(stack: &Stack, recording: &str, id: &str, flags: &[&str]) {
    let line = ["transcribe", recording, "--language", "en", "--id", id];
    stack.text(line.into_iter().chain(flags.iter().copied()));
}

fn assert_unknown(stack: &Stack, id: &str) {
    for command in [["show", id], ["result", id], ["delete", id]] {
        let output = stack.longhand(command.into_iter().chain((command[0] == "delete").then_some("--yes")));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains(id), "{command:?}: {stderr}");
    }
    let listed = stack.json(["list", "--json"]);
    assert!(listed.as_array().unwrap().iter().all(|job| job["id"] != id), "{listed}");
    let described = stack.temporal(&["workflow", "describe", "--workflow-id", id]);
    assert!(!described.status.success(), "Temporal remembers {id}");
}

#[test]
fn a_deleted_job_takes_what_no_other_needs() {
    let stack = Stack::start();
    transcribe(&stack, &sample(), "one", &["--llm", "summary"]);
    transcribe(&stack, &sample(), "other", &[]);
    let refused = stack.longhand(["delete", "one"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("--yes"), "nobody can be asked");
    let before = stack.json(["result", "other", "--json"]);

    let deleted = stack.json(["delete", "one", "--yes", "--json"]);
    assert_eq!(deleted[0]["id"], "one");
    assert!(deleted[0]["objects"].as_u64() >= Some(3), "{deleted}");
    assert_unknown(&stack, "one");
    assert!(stored(&stack).iter().all(|key| !key.contains("/one")), "{:?}", stored(&stack));
    assert_eq!(stack.json(["result", "other", "--json"]), before);
    assert!(stored(&stack).contains(&format!("uploads/{SHA256}")));
    assert!(stack.log_of(INGESTION).contains("erased a job job=one"), "{}", stack.log_of(INGESTION));

    // Its name is free, and what the other needs is found again.
    transcribe(&stack, &sample(), "one", &[]);
    let again = stack.json(["result", "one", "--json"]);
    assert_eq!(again["provenance"]["chunks_computed"], 0, "{}", again["provenance"]);
    assert_eq!(again["llm"], json!({}), "no answer is left of the job before");

    let batch = stack.json(["batch", &folder_of_one_sample(&stack), "--id", "talks", "--language", "en", "--json"]);
    let child = batch["jobs"][0]["id"].as_str().unwrap();
    stack.text(["delete", "one", "other", "--yes"]);
    assert_eq!(stack.json(["result", child, "--json"])["status"], "completed");
    let recorded = stack.json(["delete", "talks", "--yes", "--json"]);
    assert_eq!(recorded.as_array().unwrap().len(), 1);
    assert_unknown(&stack, "talks");
    assert_unknown(&stack, child);
    assert_eq!(stored(&stack), BTreeSet::new(), "the recording went with its last owner");
    assert_eq!(stack.json(["store", "--json"])["uploads"], json!({ "objects": 0, "bytes": 0 }));
}

fn folder_of_one_sample(stack: &Stack) -> String {
    let folder = stack.folder().join("talks");
    fs::create_dir(&folder).unwrap();
    fs::copy(sample(), folder.join("jfk.flac")).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[test]
fn a_job_that_runs_and_a_message_that_is_retried_end_with_their_deletion() {
    let (address, asked) = receiver_that_refuses();
    let secret = ("LONGHAND_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let stack = Stack::start_with(&[secret, ("LONGHAND_ALLOW_PRIVATE_URLS", "true")]);
    transcribe(&stack, &sample(), "told", &["--webhook", &format!("http://{address}/hook")]);
    wait_until("the message is refused twice", || asked.load(Ordering::Relaxed) >= 2);
    stack.text(["delete", "told", "--yes"]);
    let open =
        stack.temporal(&["workflow", "list", "--query", "ExecutionStatus = 'Running' AND WorkflowType = 'deliver'"]);
    assert!(!String::from_utf8(open.stdout).unwrap().contains("told"), "the retry has ended");
    assert_unknown(&stack, "told");

    let long = repeated_sample(600);
    transcribe(&stack, long.path().to_str().unwrap(), "running", &["--detach"]);
    stack.wait_for("running", "two chunks are done", |state| state["chunks_done"].as_u64() >= Some(2));
    stack.text(["delete", "running", "--yes"]);
    assert_unknown(&stack, "running");
    assert_eq!(stored(&stack), BTreeSet::new());
}

/// Answers every message with an error, and counts them.
fn receiver_that_refuses() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The head and the body, which is short, come at once.
            drop(stream.read(&mut [0; 4096]));
            counted.fetch_add(1, Ordering::Relaxed);
            let answer = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    (address, asked)
}

/// The worker is killed while it erases a recording of many pieces.
#[test]
fn a_purge_that_is_killed_in_the_middle_is_ended_later() {
    const PIECES: usize = 30_000;
    let mut stack = Stack::start();
    transcribe(&stack, &sample(), "kept", &[]);
    let other = repeated_sample(30);
    transcribe(&stack, other.path().to_str().unwrap(), "dying", &[]);
    let kept: BTreeSet<String> =
        stored(&stack).into_iter().filter(|key| key.contains(SHA256) || key.contains("kept")).collect();
    let made = stack.json(["result", "dying", "--json"])["provenance"]["checkpoints"].clone();
    let checkpoints = stack.folder().join("store").join(made.as_str().unwrap());
    for piece in 0..PIECES {
        fs::write(checkpoints.join(format!("{:06}.json", 1000 + piece)), "{}").unwrap();
    }
    let left = || fs::read_dir(&checkpoints).map_or(0, Iterator::count);
    let result: PathBuf = stack.folder().join("store/jobs/dying/result.json");

    let mut deleting = stack.command();
    let mut deleting = deleting.args(["delete", "dying", "--yes"]).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the first pieces are gone", || left() < PIECES);
    stack.kill(INGESTION);
    let left_then = left();
    assert!(left_then > 0, "it was killed too late");
    assert!(!result.exists(), "nothing that is left looks like a job that ended");
    stack.start_worker(INGESTION);
    assert!(deleting.wait().unwrap().success());
    assert_eq!(stored(&stack), kept, "{left_then} pieces were left to the second worker");
    assert_unknown(&stack, "dying");
    transcribe(&stack, &sample(), "kept-too", &[]);
    assert_eq!(stack.json(["result", "kept-too", "--json"])["provenance"]["chunks_computed"], 0);
}

#[test]
fn a_sweep_takes_what_nobody_needs_and_a_dry_run_only_tells() {
    let stack = Stack::start();
    let store = stack.folder().join("store");
    let long = repeated_sample(600);
    transcribe(&stack, long.path().to_str().unwrap(), "running", &["--detach"]);
    transcribe(&stack, &sample(), "done", &[]);
    // A job of the time before there were references.
    for key in [format!("references/{SHA256}/done"), format!("jobs/done/recordings/{SHA256}")] {
        fs::remove_file(store.join(key)).unwrap();
    }
    let orphan = "ab".repeat(32);
    let leftovers = [
        (format!("uploads/{orphan}"), "recording", orphan.as_str()),
        (format!("audio/{orphan}/v3-180s/chunks/hash/000001.json"), "recording", orphan.as_str()),
        ("uploads/incoming/0199aa".to_owned(), "recording", "0199aa"),
        ("uploads/incoming/0199bb#1".to_owned(), "part", "uploads/incoming/0199bb#1"),
        ("jobs/lost/llm/summary.json".to_owned(), "job", "lost"),
        (format!("jobs/lost/recordings/{}", "cd".repeat(32)), "job", "lost"),
        (format!("references/{}/lost", "cd".repeat(32)), "job", "lost"),
        (format!("erasing/{orphan}/dead"), "recording", orphan.as_str()),
    ];
    for (key, ..) in &leftovers {
        fs::create_dir_all(store.join(key).parent().unwrap()).unwrap();
        fs::write(store.join(key), "left").unwrap();
    }
    let foreign = store.join("notes.txt");
    fs::write(&foreign, "not of Longhand").unwrap();

    let recent = stack.json(["store", "sweep", "--dry-run", "--json"]);
    assert_eq!(recent["leftovers"], json!([]), "nothing goes that was touched today");
    let found = stack.json(["store", "sweep", "--dry-run", "--min-age-hours", "0", "--json"]);
    let named: BTreeSet<_> = found["leftovers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| (left["kind"].as_str(), left["name"].as_str()))
        .collect();
    let expected: BTreeSet<_> = leftovers.iter().map(|(_, kind, name)| (Some(*kind), Some(*name))).collect();
    assert_eq!(named, expected);
    assert!(leftovers.iter().all(|(key, ..)| store.join(key).exists()), "a dry run takes nothing");

    let swept = stack.json(["store", "sweep", "--min-age-hours", "0", "--json"]);
    assert_eq!((&swept["recordings"], &swept["jobs"], &swept["parts"]), (&json!(2), &json!(1), &json!(1)), "{swept}");
    for (key, ..) in &leftovers {
        assert!(!store.join(key).exists(), "{key} is left");
    }
    assert!(foreign.exists());
    stack.text(["cancel", "running"]);
    stack.wait_for("running", "it is cancelled", |state| state["status"] == "cancelled");
    assert!(store.join(format!("uploads/{SHA256}")).exists(), "the old job's recording is there");
    stack.text(["delete", "done", "--yes"]);
    assert!(!store.join(format!("uploads/{SHA256}")).exists(), "and goes with it");
}

#[test]
fn what_is_kept_no_longer_goes_by_itself() {
    let mut stack = Stack::start_with(&[("LONGHAND_RETENTION_RECORDINGS_DAYS", "0,acme=never")]);
    transcribe(&stack, &sample(), "done", &[]);
    let other = repeated_sample(20);
    transcribe(&stack, other.path().to_str().unwrap(), "acme:done", &[]);
    let text = stack.text(["result", "done"]);
    housekeep(&stack);
    wait_until("the recording is gone", || stored(&stack).iter().all(|key| !key.contains(SHA256)));
    assert_eq!(stack.text(["result", "done"]), text, "the transcript stays");
    assert!(stored(&stack).iter().any(|key| key.starts_with("uploads/")), "another tenant's recording stays");

    stack.set("LONGHAND_RETENTION_DAYS", "never,acme=0");
    stack.kill(INGESTION);
    stack.start_worker(INGESTION);
    housekeep(&stack);
    wait_until("the tenant's job is gone", || !stack.longhand(["show", "acme:done"]).status.success());
    wait_until("all of it is gone", || {
        stored(&stack) == BTreeSet::from(["jobs/done/result.json".to_owned(), "jobs/done/transcript.json".to_owned()])
    });
    assert_eq!(stack.text(["result", "done"]), text);
}

/// Has the server's schedule start a round now, and waits for its end.
fn housekeep(stack: &Stack) {
    let rounds = || -> Vec<Value> {
        let listed = stack.temporal(&[
            "workflow",
            "list",
            "--query",
            "WorkflowType = 'housekeeping' AND ExecutionStatus = 'Completed'",
            "--output",
            "json",
        ]);
        serde_json::from_slice(&listed.stdout).unwrap_or_default()
    };
    let before = rounds().len();
    let trigger = ["schedule", "trigger", "--schedule-id", "longhand-housekeeping"];
    wait_until("the schedule is there", || stack.temporal(&trigger).status.success());
    wait_until("housekeeping is done", || rounds().len() > before);
}
