//! Rollouts: a job ends on the version of the workflows' code that it began with.

use test_stack::{INGESTION, Stack, TRANSCRIPTION, sample, wait_until};

/// Starts the ingestion worker, which runs the workflows, as that version, and makes it the current one.
fn roll_out(stack: &mut Stack, version: &str) {
    stack.set("LONGHAND_WORKER_VERSION", version);
    stack.start_worker(INGESTION);
    let of_version = ["--deployment-name", "longhand", "--build-id", version, "--yes"];
    let make_current = [&["worker", "deployment", "set-current-version"], &of_version[..]].concat();
    // The server learns of a version from its worker.
    wait_until(&format!("version {version} is current"), || stack.temporal(&make_current).status.success());
}

#[test]
fn a_job_stays_with_the_version_that_it_began_with() {
    let mut stack = Stack::server_with(&[]);
    roll_out(&mut stack, "1");
    stack.text(["transcribe", &sample(), "--id", "begun", "--detach"]);
    // It goes no further, for nobody recognises yet.
    stack.wait_for("begun", "the recording is segmented", |state| state["stage"] == "prepare");
    stack.kill(INGESTION);

    roll_out(&mut stack, "2");
    stack.start_worker(TRANSCRIPTION);
    let after = stack.json(["transcribe", &sample(), "--id", "after", "--json"]);
    assert_eq!(after["status"], "completed", "{after}");
    let state = stack.json(["show", "begun", "--json"]);
    assert_eq!(state["status"], "running", "no worker of version 1 is there: {state}");
    stack.kill(INGESTION);

    roll_out(&mut stack, "1");
    stack.text(["watch", "begun"]);
    let begun = stack.json(["result", "begun", "--json"]);
    assert_eq!(begun["status"], "completed", "{begun}");
}
