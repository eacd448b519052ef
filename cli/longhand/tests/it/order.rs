//! The order in which a worker takes up the work of several jobs, as Temporal's histories tell it.

use serde_json::Value;
use test_stack::{Stack, audio::repeated_sample, sample};

/// An activity, with the times at which it was handed out, taken up and finished.
#[derive(Debug)]
struct Step {
    activity: String,
    scheduled: String,
    started: String,
    /// None where it was called back.
    completed: Option<String>,
}

#[test]
fn a_long_recording_is_recognised_while_it_is_still_being_segmented() {
    let stack = Stack::start_with(&[("LONGHAND_UNIT_SECONDS", "20")]);
    let long = repeated_sample(3600);
    stack.text(["transcribe", long.path().to_str().unwrap(), "--language", "en", "--id", "long", "--detach"]);
    stack.wait_for("long", "all of it is segmented", |job| job["duration_s"].as_f64() > Some(0.0));
    stack.wait_for("long", "the first words are there", |job| job["chunks_done"].as_u64() > Some(0));
    stack.text(["cancel", "long"]);
    stack.wait_for("long", "it has ended", |job| job["status"] == "cancelled");

    let steps = steps(&stack, "long");
    let of = |activity: &str| steps.iter().find(|step| step.activity == activity).unwrap();
    let segmented = of("ingest").completed.as_ref().unwrap();
    let first = of("transcribe_unit");
    assert!(first.started < *segmented, "the first unit waited for all others: {first:?}, {segmented}");
}

#[test]
fn a_recording_is_begun_at_its_beginning_and_a_short_one_overtakes_a_long_one() {
    let stack = Stack::start_with(&[("LONGHAND_UNIT_SECONDS", "20")]);
    let long = repeated_sample(300);
    stack.text(["transcribe", long.path().to_str().unwrap(), "--language", "en", "--id", "long", "--detach"]);
    stack.wait_for("long", "the first words are there", |job| job["chunks_done"].as_u64() > Some(0));
    stack.text(["transcribe", &sample(), "--language", "en", "--id", "short"]);
    stack.text(["watch", "long"]);

    let units: Vec<_> = steps(&stack, "long").into_iter().filter(|step| step.activity == "transcribe_unit").collect();
    let (first, others) = units.split_first().unwrap();
    assert!(others.iter().all(|unit| first.started < unit.started), "{units:#?}");

    let short = steps(&stack, "short");
    for step in short.iter().filter(|step| ["prepare", "transcribe_unit"].contains(&step.activity.as_str())) {
        // The server may still be writing it down when a worker comes and takes what is there.
        let overtook = units.iter().filter(|unit| step.scheduled < unit.started && unit.started < step.started).count();
        assert!(overtook <= 1, "{overtook} units went before {step:?}: {units:#?}");
    }
    let after = units.iter().filter(|unit| short.iter().all(|step| step.started < unit.started)).count();
    assert!(after >= 3, "the long job had ended too early to tell: {units:#?}");
}

/// In the order in which they were handed out. Times are RFC 3339 without the zone, whose order is that of their text.
fn steps(stack: &Stack, job: &str) -> Vec<Step> {
    let history = stack.history(job);
    let events = history["events"].as_array().unwrap();
    let time = |event: &Value| event["eventTime"].as_str().unwrap().trim_end_matches('Z').to_owned();
    let handed_out = events.iter().filter(|event| event.get("activityTaskScheduledEventAttributes").is_some());
    handed_out
        .map(|event| {
            let find =
                |kind: &str| events.iter().find(|other| other[kind]["scheduledEventId"] == event["eventId"]).map(time);
            Step {
                activity: event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                scheduled: time(event),
                started: find("activityTaskStartedEventAttributes").unwrap_or_default(),
                completed: find("activityTaskCompletedEventAttributes"),
            }
        })
        .collect()
}
