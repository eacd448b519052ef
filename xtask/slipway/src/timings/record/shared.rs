//! Tells steps that were cached from steps that another image of the same build ran.
//!
//! BuildKit reports both in the same words. Identical steps carry one digest and one pair of times in every image (a
//! digest alone says too little: every image's export has the same); steps that turn out to be the same only while they
//! run are merged, and the loser is reported as cached although nothing was in the cache when the build began.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    image::ImageRecord,
    step::{StepOutcome, StepRecord},
};
use crate::build_event::Moment;

pub(super) fn decide(images: &mut [ImageRecord]) {
    let signatures: Vec<Vec<String>> = images.iter().map(signatures).collect();
    let mut runners = Runners::default();
    for (image, signatures) in images.iter().zip(&signatures) {
        for (step, signature) in image.steps.iter().zip(signatures).filter(|(step, _)| really_ran(step)) {
            runners.add(image, step, signature);
        }
    }
    for (image, signatures) in images.iter_mut().zip(&signatures) {
        let name = image.name.clone();
        for (step, signature) in image.steps.iter_mut().zip(signatures) {
            step.outcome = outcome(step, signature, &name, &runners);
        }
    }
}

/// Who ran what: of several images that report the same run, the one that began first owns it.
#[derive(Default)]
struct Runners {
    owner_of_run: BTreeMap<(String, Moment), (Moment, String)>,
    images_of_signature: BTreeMap<String, BTreeSet<String>>,
}

impl Runners {
    fn add(&mut self, image: &ImageRecord, step: &StepRecord, signature: &str) {
        let began = image.started.unwrap_or_default();
        for start in step.starts() {
            let claim = (began, image.name.clone());
            let owner = self.owner_of_run.entry((step.digest.clone(), start)).or_insert_with(|| claim.clone());
            if claim < *owner {
                *owner = claim;
            }
        }
        self.images_of_signature.entry(signature.to_owned()).or_default().insert(image.name.clone());
    }

    fn owns_any_run(&self, image: &str, step: &StepRecord) -> bool {
        let owner = |start| self.owner_of_run.get(&(step.digest.clone(), start));
        step.starts().filter_map(owner).any(|(_, owner)| owner == image)
    }

    fn ran_elsewhere(&self, image: &str, signature: &str) -> bool {
        let images = self.images_of_signature.get(signature);
        images.is_some_and(|images| images.iter().any(|other| other != image))
    }
}

fn outcome(step: &StepRecord, signature: &str, image: &str, runners: &Runners) -> StepOutcome {
    if step.started().is_none() && !step.cached {
        StepOutcome::NotRun
    } else if really_ran(step) {
        if runners.owns_any_run(image, step) { StepOutcome::Ran } else { StepOutcome::Shared }
    } else if runners.ran_elsewhere(image, signature) {
        StepOutcome::Shared
    } else {
        StepOutcome::Cached
    }
}

fn really_ran(step: &StepRecord) -> bool {
    !step.cached && step.started().is_some()
}

/// What each step does and what it builds on, in words that are the same in every image: its
/// digest is not, where a session or a set of copied files goes into it.
fn signatures(image: &ImageRecord) -> Vec<String> {
    let mut known = BTreeMap::new();
    image.steps.iter().map(|step| signature(step, image, &mut known)).collect()
}

fn signature(step: &StepRecord, image: &ImageRecord, known: &mut BTreeMap<String, String>) -> String {
    if let Some(signature) = known.get(&step.digest) {
        return signature.clone();
    }
    let inputs: Vec<String> = step
        .inputs
        .iter()
        .filter_map(|digest| image.step(digest))
        .map(|input| signature(input, image, known))
        .collect();
    let text = format!("{}({})", without_position(&step.name), inputs.join(","));
    known.insert(step.digest.clone(), text.clone());
    text
}

/// `[builder 3/7] RUN make` is `RUN make`: the position depends on the image's other stages.
fn without_position(name: &str) -> &str {
    match name.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((position, instruction)) if position != "internal" => instruction,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::build_event::{BuildEvent, StepUpdate};
    use crate::timings::BuildRecord;

    /// An image, a step's digest and name, the digest of its input, when it ran, whether it is
    /// reported as cached.
    type Reported<'a> = (&'a str, &'a str, &'a str, &'a str, (u64, u64), bool);

    fn check(reported: &[Reported<'_>], expected: &[(&str, &str, StepOutcome)]) {
        let at = |milliseconds| Moment(Duration::from_millis(milliseconds));
        let mut record = BuildRecord::new("project", "engine", SystemTime::UNIX_EPOCH, ["a", "b"].into_iter());
        for (image, start) in [("a", 1), ("b", 2)] {
            let (image, because) = (image.to_owned(), String::new());
            record.apply(&BuildEvent::ImageStarted { image, at: at(start), because });
        }
        for (image, digest, name, input, (start, end), cached) in reported {
            let step = StepUpdate {
                digest: (*digest).to_owned(),
                name: (*name).to_owned(),
                inputs: vec![(*input).to_owned()],
                cached: *cached,
                started: Some(at(*start)),
                completed: Some(at(*end)),
                error: None,
            };
            record.apply(&BuildEvent::Step { image: (*image).to_owned(), step });
        }
        record.finish(at(100));
        for (image, digest, outcome) in expected {
            let step = record.image(image).and_then(|image| image.step(digest)).unwrap();
            assert_eq!(step.outcome, *outcome, "{digest} of {image}");
        }
    }

    #[test]
    fn one_run_belongs_to_the_image_that_began_first() {
        check(
            &[("b", "1", "[x 1/1] RUN", "", (5, 9), false), ("a", "1", "[x 1/1] RUN", "", (5, 9), false)],
            &[("a", "1", StepOutcome::Ran), ("b", "1", StepOutcome::Shared)],
        );
    }

    #[test]
    fn a_merged_step_is_shared_though_it_is_told_to_be_cached() {
        check(
            &[
                ("a", "1", "[x 1/2] COPY", "", (5, 9), false),
                ("a", "2", "[x 2/2] RUN", "1", (9, 20), false),
                ("b", "3", "[y 1/3] COPY", "", (6, 6), true),
                ("b", "4", "[y 2/3] RUN", "3", (20, 20), true),
                ("b", "5", "[y 3/3] RUN other", "4", (20, 20), true),
            ],
            &[("b", "3", StepOutcome::Shared), ("b", "4", StepOutcome::Shared), ("b", "5", StepOutcome::Cached)],
        );
    }

    #[test]
    fn the_same_words_upon_another_base_are_another_step() {
        check(
            &[
                ("a", "1", "[x 1/2] COPY one", "", (5, 9), false),
                ("a", "2", "[x 2/2] RUN", "1", (9, 20), false),
                ("b", "3", "[x 1/2] COPY two", "", (6, 6), true),
                ("b", "4", "[x 2/2] RUN", "3", (6, 6), true),
            ],
            &[("b", "4", StepOutcome::Cached)],
        );
    }

    #[test]
    fn every_export_is_the_images_own() {
        check(
            &[
                ("a", "1", "exporting to image", "", (5, 9), false),
                ("b", "1", "exporting to image", "", (7, 12), false),
            ],
            &[("a", "1", StepOutcome::Ran), ("b", "1", StepOutcome::Ran)],
        );
    }
}
