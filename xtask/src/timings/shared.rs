//! Tells steps that were cached from steps that another image of the same build ran.
//!
//! BuildKit reports both in the same words. Identical steps carry one digest and one pair of
//! times in every image; steps that turn out to be the same only while they run are merged, and
//! the loser is reported as cached although nothing was in the cache when the build began.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{ImageRecord, StepOutcome, StepRecord};
use crate::build::event::Moment;

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
    owner_of_digest: BTreeMap<String, (Moment, String)>,
    images_of_signature: BTreeMap<String, BTreeSet<String>>,
}

impl Runners {
    fn add(&mut self, image: &ImageRecord, step: &StepRecord, signature: &str) {
        let began = image.started.unwrap_or_default();
        let owner = self.owner_of_digest.entry(step.digest.clone()).or_insert_with(|| (began, image.name.clone()));
        if began < owner.0 {
            *owner = (began, image.name.clone());
        }
        self.images_of_signature.entry(signature.to_owned()).or_default().insert(image.name.clone());
    }
}

fn outcome(step: &StepRecord, signature: &str, image: &str, runners: &Runners) -> StepOutcome {
    if step.started().is_none() && !step.cached {
        return StepOutcome::NotRun;
    }
    if let Some((_, owner)) = runners.owner_of_digest.get(&step.digest) {
        return if owner == image { StepOutcome::Ran } else { StepOutcome::Shared };
    }
    let ran_elsewhere =
        runners.images_of_signature.get(signature).is_some_and(|images| images.iter().any(|other| other != image));
    match (step.cached, ran_elsewhere) {
        (true, true) => StepOutcome::Shared,
        (true, false) => StepOutcome::Cached,
        (false, _) => StepOutcome::Ran,
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
