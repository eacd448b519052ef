//! `build.json` as it is read again; see `document` for what its fields mean.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{document::FORMAT, record::StepOutcome};

#[derive(Debug, Deserialize)]
pub(crate) struct StoredBuild {
    format: u32,
    pub(crate) project: String,
    pub(crate) began_unix_ms: u64,
    pub(crate) wall_ms: f64,
    pub(crate) context_sent: u64,
    pub(crate) images: Vec<StoredImage>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StoredImage {
    pub(crate) name: String,
    started_ms: Option<f64>,
    finished_ms: Option<f64>,
    pub(crate) waiting_ms: f64,
    pub(crate) context_bytes: u64,
    #[serde(default)]
    pub(crate) solved_because: String,
    #[serde(default)]
    pub(crate) outcome: String,
    steps: Vec<StoredStep>,
}

#[derive(Debug, Deserialize)]
struct StoredStep {
    name: String,
    outcome: StepOutcome,
    work_ms: f64,
}

impl StoredBuild {
    pub(super) fn read(path: &Path) -> Result<StoredBuild> {
        let text = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let build: StoredBuild =
            serde_json::from_slice(&text).with_context(|| format!("{} is not a build.json", path.display()))?;
        if build.format != FORMAT {
            bail!("{} has format {}, and this program reads {FORMAT}", path.display(), build.format);
        }
        Ok(build)
    }

    pub(crate) fn image(&self, name: &str) -> Option<&StoredImage> {
        self.images.iter().find(|image| image.name == name)
    }

    pub(crate) fn count(&self, outcome: &str) -> usize {
        self.images.iter().filter(|image| image.outcome == outcome).count()
    }
}

impl StoredImage {
    /// Milliseconds from its slot to its end.
    pub(crate) fn wall_ms(&self) -> f64 {
        self.finished_ms.zip(self.started_ms).map_or(0.0, |(finished, started)| finished - started)
    }

    /// What each step came to and how many milliseconds it took. One that the engine met twice counts once.
    pub(crate) fn steps(&self) -> BTreeMap<&str, (StepOutcome, f64)> {
        let mut steps: BTreeMap<&str, (StepOutcome, f64)> = BTreeMap::new();
        for step in &self.steps {
            let (outcome, work) = steps.entry(&step.name).or_insert((step.outcome, 0.0));
            (*outcome, *work) = (step.outcome.min(*outcome), *work + step.work_ms);
        }
        steps
    }
}
