//! What earlier builds tell about the time that steps take.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::{
    dockerfile::squeezed,
    timings::{StepOutcome, StoredBuild, kept_builds},
};

/// Seconds by the text of the instruction, each of the last time that it ran.
pub(crate) type StepTimes = BTreeMap<String, f64>;

/// Empty where no build's times are known.
#[derive(Debug, Default)]
pub(crate) struct PastBuilds {
    images: BTreeMap<String, StepTimes>,
}

impl PastBuilds {
    /// The builds of a project that are kept.
    ///
    /// # Errors
    /// A kept build that cannot be read.
    pub(crate) fn of_project(name: &str) -> Result<PastBuilds> {
        let mut past = PastBuilds::default();
        for (_, build) in kept_builds()?.into_iter().rev().filter(|(_, build)| build.project == name) {
            past.add(&build);
        }
        Ok(past)
    }

    /// Takes the times of a build over those of the builds before it.
    pub(crate) fn add(&mut self, build: &StoredBuild) {
        for image in &build.images {
            let times = self.images.entry(image.name.clone()).or_default();
            for (step, (outcome, milliseconds)) in image.steps() {
                // A shared step took its time, too, in another image. A step is called `[STAGE 2/5] INSTRUCTION`.
                let ran = matches!(outcome, StepOutcome::Ran | StepOutcome::Shared);
                let instruction = step.strip_prefix('[').and_then(|step| step.split_once("] ")).filter(|_| ran);
                if let Some((_, instruction)) = instruction {
                    times.insert(squeezed(instruction), milliseconds / 1e3);
                }
            }
        }
    }

    pub(crate) fn of_image(&self, name: &str) -> StepTimes {
        self.images.get(name).cloned().unwrap_or_default()
    }
}
