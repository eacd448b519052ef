//! `build.json`: a build's timings for other programs. Times are milliseconds since the build
//! began. Fields are only ever added; a change of meaning raises `format`.

use std::time::UNIX_EPOCH;

use serde::Serialize;

use super::{
    critical_path::critical_path,
    record::{BuildRecord, ImageRecord, StepOutcome, StepRecord},
};
use crate::build_event::{ImageOutcome, Moment};

pub(super) const FORMAT: u32 = 1;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    format: u32,
    project: &'a str,
    engine: &'a str,
    /// Milliseconds since 1970.
    began_unix_ms: u64,
    wall_ms: Moment,
    /// Bytes that went to the engine over all sessions.
    context_sent: u64,
    images: Vec<Image<'a>>,
    /// The chain of steps and waits that the end of the build was waiting for.
    critical_path: Vec<PathEntry>,
}

#[derive(Serialize)]
struct Image<'a> {
    name: &'a str,
    started_ms: Option<Moment>,
    finished_ms: Option<Moment>,
    /// Time between start and finish in which none of the image's steps was at work.
    waiting_ms: f64,
    context_bytes: u64,
    /// Why it was not known to be unchanged.
    #[serde(skip_serializing_if = "str::is_empty")]
    solved_because: &'a str,
    /// The daemon that built it, where that was not the engine.
    #[serde(skip_serializing_if = "str::is_empty")]
    builder: &'a str,
    #[serde(flatten)]
    outcome: Option<&'a ImageOutcome>,
    warnings: &'a [String],
    steps: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    digest: &'a str,
    name: &'a str,
    inputs: &'a [String],
    outcome: StepOutcome,
    /// Pairs of start and end; several where the step began more than once.
    intervals_ms: Vec<(Moment, Moment)>,
    work_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct PathEntry {
    image: String,
    what: String,
    is_step: bool,
    start_ms: Moment,
    end_ms: Moment,
}

pub(super) fn document(record: &BuildRecord) -> Document<'_> {
    let began = record.began.duration_since(UNIX_EPOCH).unwrap_or_default();
    let path = critical_path(record).into_iter().map(|stretch| PathEntry {
        image: stretch.image,
        what: stretch.what,
        is_step: stretch.is_step,
        start_ms: stretch.start,
        end_ms: stretch.end,
    });
    Document {
        format: FORMAT,
        project: &record.project,
        engine: &record.engine,
        began_unix_ms: u64::try_from(began.as_millis()).unwrap_or_default(),
        wall_ms: record.wall,
        context_sent: record.context_sent,
        images: record.images.iter().map(image).collect(),
        critical_path: path.collect(),
    }
}

fn image(image: &ImageRecord) -> Image<'_> {
    Image {
        name: &image.name,
        started_ms: image.started,
        finished_ms: image.finished,
        waiting_ms: image.waiting().as_secs_f64() * 1e3,
        context_bytes: image.context_bytes(),
        solved_because: &image.because,
        builder: &image.builder,
        outcome: image.outcome.as_ref(),
        warnings: &image.warnings,
        steps: image.steps.iter().map(step).collect(),
    }
}

fn step(step: &StepRecord) -> Step<'_> {
    Step {
        digest: &step.digest,
        name: &step.name,
        inputs: &step.inputs,
        outcome: step.outcome,
        intervals_ms: step.intervals().collect(),
        work_ms: step.duration().as_secs_f64() * 1e3,
        error: step.error.as_deref(),
    }
}
