//! What is looked at: the images of a compose project with their parsed Dockerfiles.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use super::{
    finding::Saving,
    past_builds::{PastBuilds, StepTimes},
};
use crate::{
    compose::{BuildSection, Context, Dockerfile as DockerfileSource, Place, Project, Service},
    dockerfile::{Dockerfile, Instruction, Kind},
};

#[derive(Debug)]
pub(crate) struct LintedProject {
    pub(crate) images: Vec<LintedImage>,
    /// Images whose Dockerfile is not on this machine.
    pub(crate) remote: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct LintedImage {
    /// The service's name.
    pub(crate) name: String,
    pub(crate) build: BuildSection,
    /// Where the keys of its build section stand.
    pub(crate) places: BTreeMap<String, Place>,
    pub(crate) source: Source,
    pub(crate) dockerfile: Dockerfile,
    /// The stage that becomes the image.
    pub(crate) target: usize,
    pub(crate) step_times: StepTimes,
}

/// Where a Dockerfile's text stands.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    /// Lines of the file before the Dockerfile's first; not zero only within a compose file.
    pub(crate) lines_before: usize,
    pub(crate) is_inline: bool,
}

impl Source {
    /// Lines of the Dockerfile as lines of the file.
    pub(crate) fn lines(&self, lines: &RangeInclusive<usize>) -> RangeInclusive<usize> {
        lines.start() + self.lines_before..=lines.end() + self.lines_before
    }
}

impl LintedProject {
    pub(crate) fn read(project: Project, past_builds: &PastBuilds) -> Result<LintedProject> {
        let mut read = LintedProject { images: Vec::new(), remote: Vec::new() };
        for service in project.services {
            match text_of(&service)? {
                Some((source, text)) => read.images.push(image(service, source, &text, past_builds)?),
                None => read.remote.push(service.name),
            }
        }
        Ok(read)
    }
}

fn image(service: Service, source: Source, text: &str, past_builds: &PastBuilds) -> Result<LintedImage> {
    let Service { name, build, places, .. } = service;
    let dockerfile = Dockerfile::parse(text, &build.args).map_err(|error| {
        let line = error.line + source.lines_before;
        anyhow::anyhow!("{}:{line}: {}", source.file.display(), error.message)
    })?;
    let target = match &build.target {
        None => dockerfile.stages.len() - 1,
        Some(wanted) => dockerfile.stage(wanted).ok_or_else(|| {
            anyhow::anyhow!("{}: there is no stage `{wanted}`, which `{name}` builds", source.file.display())
        })?,
    };
    let step_times = past_builds.of_image(&name);
    Ok(LintedImage { name, build, places, source, dockerfile, target, step_times })
}

/// The Dockerfile; none where only the engine can read it.
fn text_of(service: &Service) -> Result<Option<(Source, String)>> {
    match &service.build.dockerfile {
        DockerfileSource::File(path) if !path.is_absolute() => Ok(None),
        DockerfileSource::File(path) => {
            let Ok(text) = std::fs::read_to_string(path) else {
                bail!("`{}`: the Dockerfile {} cannot be read", service.name, path.display());
            };
            Ok(Some((Source { file: path.clone(), lines_before: 0, is_inline: false }, text)))
        }
        DockerfileSource::Inline(text) => {
            let place = service.places.get("dockerfile_inline");
            let file = place.map_or_else(|| PathBuf::from("dockerfile_inline"), |place| place.file.to_path_buf());
            // A text of several lines begins on the line after its key.
            let line = place.map_or(1, |place| place.line);
            let lines_before = if text.contains('\n') { line } else { line - 1 };
            Ok(Some((Source { file, lines_before, is_inline: true }, text.clone())))
        }
    }
}

impl LintedImage {
    /// The folder of its main context, where that is on this machine.
    pub(crate) fn context(&self) -> Option<&Path> {
        match &self.build.context {
            Context::Folder(folder) => Some(folder),
            Context::Remote(_) => None,
        }
    }

    /// The stages whose layers are in the image.
    pub(crate) fn shipped_stages(&self) -> Vec<usize> {
        self.dockerfile.lineage(self.target)
    }

    /// The value that ENV gave a variable before an instruction.
    pub(crate) fn environment(&self, stage: usize, position: usize, name: &str) -> Option<String> {
        let earlier = self.dockerfile.before(stage, position).into_iter().rev();
        let mut values = earlier.filter_map(|instruction| match &instruction.kind {
            Kind::Env(set) => set.iter().rev().find(|(set, _)| set == name).map(|(_, value)| value.clone()),
            _ => None,
        });
        values.next()
    }

    /// Whether the instruction is run by another user than the base image's, or it cannot be known.
    pub(crate) fn has_user(&self, stage: usize, position: usize) -> bool {
        let earlier = self.dockerfile.before(stage, position);
        let mut users = earlier.into_iter().rev().filter_map(|instruction| match &instruction.kind {
            Kind::User(user) => Some(user),
            _ => None,
        });
        users.next().is_some_and(|user| !matches!(user.as_str(), "root" | "0" | "root:root" | "0:0"))
    }

    /// The time that the instruction took when it ran last, or a guess. `when` tells how often it
    /// is saved.
    pub(crate) fn saving(&self, instruction: &Instruction, when: &str, guess: &str) -> Saving {
        match self.step_times.get(&instruction.text) {
            Some(seconds) => Saving::measured_seconds(*seconds, format!("up to {seconds:.1} s {when}")),
            None => Saving::guess(format!("{guess} {when}")),
        }
    }
}
