//! Where the time went: the chain of steps and waits that the end of a build was waiting for.

use std::time::Duration;

use super::record::{BuildRecord, ImageRecord, StepRecord};
use crate::build_event::Moment;

/// The longest time between the end of an image and the beginning of one that waited for it.
const HANDOVER: Duration = Duration::from_millis(50);

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

/// The chain from the build's beginning to its end, through the image that was finished last.
pub(crate) fn critical_path(record: &BuildRecord) -> Vec<Stretch> {
    let finished = record.images.iter().filter(|image| image.started.is_some());
    let Some(last) = finished.max_by_key(|image| image.finished) else {
        return Vec::new();
    };
    let mut path = Vec::new();
    if let Some(finished) = last.finished {
        push(&mut path, last, "finishing the build", false, finished, record.wall);
    }
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
    let mut next = latest(image.steps.iter(), started, reached);
    while let Some((step, began, ended)) = next {
        wait(path, image, ended, reached);
        push(path, image, &step.name, true, began, ended);
        reached = began;
        let inputs = step.inputs.iter().filter_map(|digest| image.step(digest));
        next = latest(inputs, started, reached).or_else(|| latest(image.steps.iter(), started, reached));
    }
    wait(path, image, started, reached);
    before_start(record, image, started, path);
}

/// Of the steps, the one that ended last of those that ended between two moments; with its time
/// from the first moment on, which always has a length, so that a chain of them comes to an end.
fn latest<'a>(
    steps: impl Iterator<Item = &'a StepRecord>,
    from: Moment,
    to: Moment,
) -> Option<(&'a StepRecord, Moment, Moment)> {
    steps
        .filter_map(|step| Some((step, step.started()?.max(from), step.completed()?)))
        .filter(|(_, began, ended)| began < ended && *ended <= to)
        .max_by_key(|(_, _, ended)| *ended)
}

/// An image begins when the one that it needs has ended, or the one whose slot it takes.
fn before_start(record: &BuildRecord, image: &ImageRecord, started: Moment, path: &mut Vec<Stretch>) {
    let freed = record
        .images
        .iter()
        .filter(|other| other.started < other.finished)
        .filter_map(|other| Some((other, other.finished?)))
        .filter(|(_, ended)| *ended <= started && started.since(*ended) < HANDOVER)
        .max_by_key(|(_, ended)| *ended);
    match freed {
        Some((other, ended)) => {
            push(path, image, "waiting for a slot", false, ended, started);
            back_from(record, other, path);
        }
        None => push(path, image, "connecting", false, Moment::default(), started),
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::build_event::{BuildEvent, ImageOutcome, StepUpdate};

    fn at(milliseconds: u64) -> Moment {
        Moment(Duration::from_millis(milliseconds))
    }

    fn image(record: &mut BuildRecord, name: &str, (start, end): (u64, u64), steps: &[(&str, &str, u64, u64)]) {
        let image = || name.to_owned();
        record.apply(&BuildEvent::ImageStarted { image: image(), at: at(start), because: String::new() });
        for (step, input, began, ended) in steps {
            let step = StepUpdate {
                digest: (*step).to_owned(),
                name: (*step).to_owned(),
                inputs: vec![(*input).to_owned()],
                cached: false,
                started: Some(at(*began)),
                completed: Some(at(*ended)),
                error: None,
            };
            record.apply(&BuildEvent::Step { image: image(), step });
        }
        let outcome = ImageOutcome::Built { digest: String::new(), size: 0 };
        record.apply(&BuildEvent::ImageFinished { image: image(), at: at(end), outcome });
    }

    #[test]
    fn the_chain_covers_the_build_and_follows_inputs() {
        let mut record = BuildRecord::new("project", "engine", SystemTime::UNIX_EPOCH, ["a", "b"].into_iter());
        // `side` ended later than `base`, but `top` is built on `base`.
        let steps = [("base", "", 10, 100), ("side", "", 10, 110), ("top", "base", 120, 400), ("export", "", 410, 500)];
        image(&mut record, "a", (5, 510), &steps);
        // Its first step had begun for the other image already, and ended before this one began.
        image(&mut record, "b", (511, 900), &[("base", "", 10, 100), ("slow", "base", 600, 890)]);
        record.finish(at(905));

        let path = critical_path(&record);
        let found: Vec<_> = path.iter().map(|part| (part.image.as_str(), part.what.as_str())).collect();
        let expected = [
            ("a", "connecting"),
            ("a", "waiting for the engine"),
            ("a", "base"),
            ("a", "waiting for the engine"),
            ("a", "top"),
            ("a", "waiting for the engine"),
            ("a", "export"),
            ("a", "waiting for the engine"),
            ("b", "waiting for a slot"),
            ("b", "waiting for the engine"),
            ("b", "slow"),
            ("b", "waiting for the engine"),
            ("b", "finishing the build"),
        ];
        assert_eq!(found, expected);
        assert!(path.windows(2).all(|pair| pair[0].end == pair[1].start), "{path:?}");
        assert_eq!((path[0].start, path[path.len() - 1].end), (at(0), at(905)));
    }
}
