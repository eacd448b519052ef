//! What the last build's `build.json` says about the time that steps take.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::dockerfile::squeezed;

/// The version of `build.json` that is understood.
const FORMAT: u32 = 1;

/// Empty where no build's times are known.
#[derive(Debug, Default)]
pub(crate) struct LastBuild {
    images: BTreeMap<String, StepTimes>,
}

/// Seconds by the text of the instruction, of those that ran.
pub(crate) type StepTimes = BTreeMap<String, f64>;

#[derive(Deserialize)]
struct Document {
    format: u32,
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Image {
    name: String,
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    outcome: String,
    work_ms: f64,
}

impl LastBuild {
    /// Reads `build.json`, or that of a folder.
    pub(crate) fn read(path: &Path) -> Result<LastBuild> {
        let file = if path.is_dir() { path.join("build.json") } else { path.to_owned() };
        let text = std::fs::read(&file)
            .with_context(|| format!("{} cannot be read; write one with `build --timings DIR`", file.display()))?;
        let document: Document =
            serde_json::from_slice(&text).with_context(|| format!("{} holds no build's times", file.display()))?;
        if document.format != FORMAT {
            bail!("{} has format {}; only {FORMAT} is understood", file.display(), document.format);
        }
        let images = document.images.into_iter().map(|image| (image.name, times(image.steps)));
        Ok(LastBuild { images: images.collect() })
    }

    pub(crate) fn of_image(&self, name: &str) -> StepTimes {
        self.images.get(name).cloned().unwrap_or_default()
    }
}

/// A step is called `[STAGE 2/5] INSTRUCTION`. A shared one took its time, too, in another image.
fn times(steps: Vec<Step>) -> StepTimes {
    let mut times = StepTimes::new();
    for step in steps.into_iter().filter(|step| matches!(step.outcome.as_str(), "ran" | "shared")) {
        if let Some((_, instruction)) = step.name.strip_prefix('[').and_then(|name| name.split_once("] ")) {
            let seconds = times.entry(squeezed(instruction)).or_insert(0.0);
            *seconds = f64::max(*seconds, step.work_ms / 1e3);
        }
    }
    times
}
