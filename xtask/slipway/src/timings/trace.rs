//! `trace.json`: the build for the trace viewers of Chrome and Perfetto. One process per image;
//! steps that overlap lie on rows of their own.

use serde::Serialize;
use serde_json::{Value, json};

use super::record::{BuildRecord, ImageRecord, StepRecord};
use crate::build_event::Moment;

#[derive(Serialize)]
pub(super) struct Trace {
    #[serde(rename = "traceEvents")]
    events: Vec<Value>,
    #[serde(rename = "displayTimeUnit")]
    unit: &'static str,
}

pub(super) fn trace(record: &BuildRecord) -> Trace {
    let events = record.images.iter().zip(1..).flat_map(|(image, process)| image_events(image, process));
    Trace { events: events.collect(), unit: "ms" }
}

fn image_events(image: &ImageRecord, process: u32) -> Vec<Value> {
    let name = json!({"ph": "M", "name": "process_name", "pid": process, "args": {"name": image.name}});
    let mut events = vec![name];
    let mut pieces: Vec<(Moment, Moment, &StepRecord)> =
        image.steps.iter().flat_map(|step| step.intervals().map(move |(start, end)| (start, end, step))).collect();
    pieces.sort_by_key(|(start, end, _)| (*start, *end));
    let mut rows: Vec<Moment> = Vec::new();
    for (start, end, step) in pieces {
        let free = rows.iter().position(|busy_until| *busy_until <= start);
        let row = free.unwrap_or(rows.len());
        rows.resize(rows.len().max(row + 1), Moment::default());
        rows[row] = end;
        events.push(json!({
            "ph": "X",
            "name": step.name,
            "cat": step.outcome,
            "pid": process,
            "tid": row,
            "ts": start.seconds() * 1e6,
            "dur": end.since(start).as_secs_f64() * 1e6,
            "args": {"digest": step.digest, "outcome": step.outcome},
        }));
    }
    events
}
