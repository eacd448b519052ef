//! Recordings and batches of more parts than Temporal takes in one workflow's history.

use serde_json::{Value, json};

use crate::simulated::Simulation;

/// Half of what Temporal ends a workflow at.
const MOST_EVENTS: u64 = 51_200 / 2;
const MOST_BYTES: u64 = 50 * 1024 * 1024 / 2;

fn made(result: &Value) -> Value {
    let made = &result["provenance"];
    json!([result["status"], made["chunks_computed"], made["chunks_reused"], made["chunks_recomputed"]])
}

/// Gives the number of runs.
fn check_histories(simulation: &Simulation, id: &str) -> usize {
    let histories = simulation.histories(id);
    eprintln!("{id}: events and bytes of its runs: {histories:?}");
    for (events, bytes) in &histories {
        assert!(*events < MOST_EVENTS && *bytes < MOST_BYTES, "{id}: {events} events, {bytes} bytes");
    }
    histories.len()
}

/// More units than Temporal lets one workflow wait for at once, and than one run hands out.
#[test]
fn more_units_than_a_run_may_have_are_one_job() {
    const UNITS: u32 = 3_000;
    let simulation = Simulation::start();
    let stack = &simulation.stack;
    simulation.submit("long", &simulation.recording(1, UNITS, 1));
    let result = stack.json(["watch", "long", "--json"]);
    assert_eq!(made(&result), json!(["completed", UNITS, 0, 0]), "all runs of the job count as one");
    assert_eq!(check_histories(&simulation, "long"), 2);
    let shown = stack.json(["show", "long", "--json"]);
    assert!(shown["elapsed_s"].as_f64() >= result["timings"]["transcribe_s"].as_f64(), "{shown}");
    let listed = stack.json(["list", "--json"]);
    let of_job = listed.as_array().unwrap().iter().filter(|job| job["id"] == "long");
    assert_eq!(of_job.map(|job| &job["status"]).collect::<Vec<_>>(), ["completed"], "it is one job");

    // Cancelled in its second run, and run again.
    simulation.submit("cancelled", &simulation.recording(2, UNITS, 1));
    let done = |state: &Value| state["chunks_done"].as_u64().unwrap_or_default();
    stack.wait_for("cancelled", "its second run is at work", |state| done(state) > 2_000);
    stack.text(["cancel", "cancelled"]);
    stack.wait_for("cancelled", "it is over", |state| state["status"] == "cancelled");
    simulation.submit("cancelled", &json!({ "object": format!("uploads/{:064x}", 2) }));
    let result = stack.json(["watch", "cancelled", "--json"]);
    let made = &result["provenance"];
    let [computed, reused] = ["chunks_computed", "chunks_reused"].map(|count| made[count].as_u64().unwrap());
    assert_eq!((&result["status"], computed + reused), (&json!("completed"), u64::from(UNITS)), "{made}");
    assert!((2_000..3_000).contains(&reused), "{made}");
}

fn check_batch(simulation: &Simulation, id: &str, jobs: u32) -> usize {
    simulation.submit_batch(id, &simulation.recording(9, 1, 1), jobs);
    simulation.stack.longhand(["watch", id, "--json"]);
    let shown = simulation.stack.json(["show", id, "--json"]);
    assert_eq!(json!([shown["jobs_done"], shown["jobs"]["completed"]]), json!([jobs, jobs]), "{shown}");
    check_histories(simulation, id)
}

#[test]
fn a_batch_of_more_jobs_than_a_run_may_have_goes_on_in_another() {
    // Ends that come together share a workflow task, so that a job costs five to seven events.
    assert!(check_batch(&Simulation::start(), "wide", 1_300) >= 2);
}

/// `cargo xtask test -p longhand --test it -- --ignored months_of_speech --nocapture` prints what it measured.
#[test]
#[ignore = "it takes hours"]
fn months_of_speech_are_one_job_and_a_hundred_thousand_recordings_one_batch() {
    let simulation = Simulation::start();
    for (id, number, hours) in [("hours-100", 3, 100), ("hours-300", 4, 300)] {
        // Units of three minutes, of chunks of 16 s.
        let (units, chunks) = (20 * hours, 11);
        simulation.submit(id, &simulation.recording(number, units, chunks));
        let result = simulation.stack.json(["watch", id, "--json"]);
        assert_eq!(made(&result), json!(["completed", units * chunks, 0, 0]));
        check_histories(&simulation, id);
        eprintln!("{id}: {} s, ingestion-worker {} MB", result["timings"]["wall_s"], simulation.ingestion_peak_mb());
    }
    for (id, jobs) in [("jobs-1000", 1_000), ("jobs-100000", 100_000)] {
        check_batch(&simulation, id, jobs);
        eprintln!("{id}: ingestion-worker {} MB", simulation.ingestion_peak_mb());
    }
    assert!(simulation.ingestion_peak_mb() < 512);
}
