//! An image in the record of a build.

use std::{collections::BTreeMap, time::Duration};

use super::step::{StepOutcome, StepRecord};
use crate::{
    build_event::{ImageOutcome, Moment, StepUpdate},
    timings::intervals::covered,
};

#[derive(Debug)]
pub(crate) struct ImageRecord {
    pub(crate) name: String,
    /// When it got its slot; none where it never did.
    pub(crate) started: Option<Moment>,
    pub(crate) finished: Option<Moment>,
    /// Why it was solved; empty where it was not.
    pub(crate) because: String,
    /// The daemon that built it; empty for the engine.
    pub(crate) builder: String,
    pub(crate) outcome: Option<ImageOutcome>,
    /// In the order in which the engine announced them.
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) warnings: Vec<String>,
}

impl ImageRecord {
    pub(super) fn new(name: &str) -> ImageRecord {
        ImageRecord {
            name: name.to_owned(),
            started: None,
            finished: None,
            because: String::new(),
            builder: String::new(),
            outcome: None,
            steps: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn step(&self, digest: &str) -> Option<&StepRecord> {
        self.steps.iter().find(|step| step.digest == digest)
    }

    /// How many instructions of its Dockerfile came to their results in this way. One that the
    /// engine met twice, before and after it knew the copied files, counts once.
    pub(crate) fn instructions(&self, outcome: StepOutcome) -> usize {
        let mut by_name: BTreeMap<&str, StepOutcome> = BTreeMap::new();
        for step in self.steps.iter().filter(|step| step.is_instruction()) {
            let known = by_name.entry(&step.name).or_insert(step.outcome);
            *known = step.outcome.min(*known);
        }
        by_name.values().filter(|found| **found == outcome).count()
    }

    /// From its slot to its end.
    pub(crate) fn wall(&self) -> Duration {
        match (self.started, self.finished) {
            (Some(started), Some(finished)) => finished.since(started),
            _ => Duration::ZERO,
        }
    }

    /// The time of its window in which none of its steps was at work.
    pub(crate) fn waiting(&self) -> Duration {
        let (Some(started), Some(finished)) = (self.started, self.finished) else {
            return Duration::ZERO;
        };
        let clamp = |(start, end): (Moment, Moment)| (start.clamp(started, finished), end.clamp(started, finished));
        let busy = covered(self.steps.iter().flat_map(StepRecord::intervals).map(clamp));
        self.wall().saturating_sub(busy)
    }

    /// Bytes of its contexts that the engine took, as the engine counts.
    pub(crate) fn context_bytes(&self) -> u64 {
        let own = self.steps.iter().filter(|step| step.outcome != StepOutcome::Shared);
        own.map(StepRecord::context_bytes).sum()
    }

    pub(super) fn update(&mut self, update: &StepUpdate) {
        let index = match self.steps.iter().position(|step| step.digest == update.digest) {
            Some(index) => index,
            None => {
                self.steps.push(StepRecord::new(update));
                self.steps.len() - 1
            }
        };
        self.steps[index].update(update);
    }
}
