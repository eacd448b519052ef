//! Where the time went: the chain of steps and waits that the end of a build was waiting for.

use std::time::Duration;

use super::record::{BuildRecord, ImageRecord, StepRecord};
use crate::build::event::{ImageOutcome, Moment};

/// A part of the chain; the parts follow each other without gaps or overlaps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) image: String,
    /// The step's name, or what the image waited for.
    pub(crate) what: String,
    pub(crate) is_step: bool,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
}

impl Stretch {
    pub(crate) fn duration(&self) -> Duration {
        self.end.since(self.start)
    }
}

/// The chain from the build's beginning to the end of the image that was finished last.
pub(crate) fn critical_path(record: &BuildRecord) -> Vec<Stretch> {
    let finished = record.images.iter().filter(|image| image.started.is_some());
    let Some(last) = finished.max_by_key(|image| image.finished) else {
        return Vec::new();
    };
    let mut path = Vec::new();
    back_from(record, last, &mut path);
    path.reverse();
    path
}

/// Adds an image's part of the chain, and then that of whatever its beginning waited for.
fn back_from(record: &BuildRecord, image: &ImageRecord, path: &mut Vec<Stretch>) {
    let (Some(started), Some(finished)) = (image.started, image.finished) else {
        return;
    };
    let mut reached = finished;
    let mut next = latest_before(image, reached);
    while let Some(step) = next {
        let (Some(began), Some(ended)) = (step.started(), step.completed()) else { break };
        wait(path, image, ended, reached);
        let start = began.max(started);
        push(path, image, &step.name, true, start, ended.min(reached));
        reached = start.min(reached);
        next = input_of(image, step, reached).or_else(|| latest_before(image, reached));
    }
    wait(path, image, started, reached);
    before_start(record, image, started, path);
}

fn before_start(record: &BuildRecord, image: &ImageRecord, started: Moment, path: &mut Vec<Stretch>) {
    let freed = record
        .images
        .iter()
        .filter(|other| other.name != image.name && matches!(other.outcome, Some(ImageOutcome::Built { .. })))
        .filter(|other| other.finished.is_some_and(|end| end <= started && end > Moment::default()))
        .max_by_key(|other| other.finished);
    match freed.and_then(|other| Some((other, other.finished?))) {
        // An image starts right after the one that it needs, or whose slot it takes.
        Some((other, end)) if started.since(end) < started.since(Moment::default()) / 2 => {
            push(path, image, "waiting for a slot", false, end, started);
            back_from(record, other, path);
        }
        _ => push(path, image, "connecting", false, Moment::default(), started),
    }
}

fn wait(path: &mut Vec<Stretch>, image: &ImageRecord, from: Moment, to: Moment) {
    push(path, image, "waiting for the engine", false, from, to);
}

fn push(path: &mut Vec<Stretch>, image: &ImageRecord, what: &str, is_step: bool, start: Moment, end: Moment) {
    if end > start {
        path.push(Stretch { image: image.name.clone(), what: what.to_owned(), is_step, start, end });
    }
}

/// Of the steps that this one builds on, the one that was ready last.
fn input_of<'a>(image: &'a ImageRecord, step: &StepRecord, before: Moment) -> Option<&'a StepRecord> {
    step.inputs
        .iter()
        .filter_map(|digest| image.step(digest))
        .filter(|input| is_before(input, before))
        .max_by_key(|input| input.completed())
}

fn latest_before(image: &ImageRecord, before: Moment) -> Option<&StepRecord> {
    image.steps.iter().filter(|step| is_before(step, before)).max_by_key(|step| step.completed())
}

fn is_before(step: &StepRecord, moment: Moment) -> bool {
    // A step without length could be its own predecessor for ever.
    let has_length = step.started() < step.completed();
    has_length && step.completed().is_some_and(|end| end <= moment)
}
