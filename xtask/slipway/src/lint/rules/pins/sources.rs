//! What the stages of an image install with pip, and where on this machine its lists are.

use std::path::PathBuf;

use super::{
    super::super::{
        programs::{PipInstall, pip_installs},
        project::LintedImage,
        uv::Question,
    },
    requirement::{Requirements, package},
};
use crate::dockerfile::{Instruction, Kind, Run, absolute};

/// A stage with everything that is installed in it.
pub(super) struct PythonStage {
    pub(super) requirements: Vec<super::requirement::Requirement>,
    found: Requirements,
    /// As in `3.12`; none where the base image does not tell.
    python: Option<String>,
    index: Option<String>,
}

impl PythonStage {
    pub(super) fn question(&self) -> Question {
        let lines = |list: &[super::requirement::Requirement]| list.iter().map(|one| one.text.clone()).collect();
        let mut requirements: Vec<String> = self.found.indexes.clone();
        requirements.extend::<Vec<String>>(lines(&self.requirements));
        let constraints = lines(&self.found.constraints);
        Question { requirements, constraints, python: self.python.clone(), index: self.index.clone() }
    }
}

/// The stages that install with pip, earlier stages' packages included. One that another stage
/// is built on is part of that one.
pub(super) fn python_stages(image: &LintedImage) -> Vec<PythonStage> {
    let stages = &image.dockerfile.stages;
    let is_built_on = |number: usize| stages.iter().any(|stage| stage.base_stage == Some(number));
    let ends = (0..stages.len()).filter(|number| !is_built_on(*number));
    ends.map(|number| python_stage(image, number)).collect()
}

fn python_stage(image: &LintedImage, end: usize) -> PythonStage {
    let mut found = Requirements::default();
    for number in image.dockerfile.lineage(end) {
        for (position, instruction) in image.dockerfile.stages[number].instructions.iter().enumerate() {
            if let Kind::Run(run) = &instruction.kind {
                let before = image.dockerfile.before(number, position);
                pip_installs(run).for_each(|install| collect(&mut found, image, instruction, run, &before, &install));
            }
        }
    }
    let last = image.dockerfile.stages[end].instructions.len();
    let mut requirements = found.packages.clone();
    requirements.dedup();
    PythonStage {
        requirements,
        python: python_version(image, end),
        index: image.environment(end, last, "PIP_INDEX_URL").or_else(|| std::env::var("PIP_INDEX_URL").ok()),
        found,
    }
}

/// Reads the command line of one `pip install`.
fn collect(
    found: &mut Requirements,
    image: &LintedImage,
    instruction: &Instruction,
    run: &Run,
    before: &[&Instruction],
    install: &PipInstall<'_>,
) {
    let line = *image.source.lines(&instruction.lines).start();
    let mut words = install.arguments.iter().copied();
    while let Some(word) = words.next() {
        let (name, attached) = word.split_once('=').filter(|_| word.starts_with("--")).unwrap_or((word, ""));
        let mut value = || if attached.is_empty() { words.next().unwrap_or_default() } else { attached };
        match name {
            "-r" | "--requirement" => {
                let path = value();
                if let Some(file) = on_this_machine(path, image, instruction, run, before) {
                    found.read(&file, 0);
                }
            }
            "-c" | "--constraint" => {
                let path = value();
                if let Some(file) = on_this_machine(path, image, instruction, run, before) {
                    let mut constraints = Requirements::default();
                    constraints.read(&file, 0);
                    found.constraints.extend(constraints.packages);
                }
            }
            "--index-url" | "-i" | "--extra-index-url" => {
                let flag = if name == "-i" { "--index-url" } else { name };
                found.indexes.push(format!("{flag} {}", value()));
            }
            "-e" | "--editable" | "-t" | "--target" | "--prefix" | "--root" | "-f" | "--find-links"
            | "--trusted-host" | "--cache-dir" | "--platform" | "--python-version" | "--only-binary"
            | "--no-binary" | "--timeout" | "--retries" => drop(value()),
            option if option.starts_with('-') => {}
            _ => found.packages.extend(package(word, &image.source.file, line)),
        }
    }
}

/// The file of the context that has this path in the image.
fn on_this_machine(
    path: &str,
    image: &LintedImage,
    instruction: &Instruction,
    run: &Run,
    before: &[&Instruction],
) -> Option<PathBuf> {
    let context = image.context()?;
    let wanted = absolute(&instruction.workdir, path);
    let bound = run.mounts.iter().filter(|mount| mount.kind == "bind" && mount.option("from").is_none()).map(|mount| {
        let source = mount.option("source").or_else(|| mount.option("src")).unwrap_or(".");
        (vec![source.to_owned()], mount.target.clone())
    });
    let copied = before.iter().rev().filter_map(|earlier| match &earlier.kind {
        Kind::Copy(copy) if copy.from.is_none() => Some((copy.sources.clone(), copy.destination.clone())),
        _ => None,
    });
    let places: Vec<(Vec<String>, String)> = bound.chain(copied).collect();
    let candidates = places
        .iter()
        .flat_map(|(sources, destination)| sources.iter().filter_map(|source| original(source, destination, &wanted)));
    candidates.map(|candidate| context.join(candidate)).find(|file| file.is_file())
}

/// What `wanted` was called before a source was put at a destination; it need not exist.
fn original(source: &str, destination: &str, wanted: &str) -> Option<String> {
    let source = source.trim_start_matches('/');
    let rest = wanted.strip_prefix(destination.trim_end_matches('/'))?.trim_start_matches('/');
    if rest.is_empty() {
        return Some(source.to_owned());
    }
    let (folder, name) = source.rsplit_once('/').unwrap_or(("", source));
    let is_same_file = name == rest || name.contains('*');
    Some(
        if is_same_file { format!("{folder}/{rest}") } else { format!("{source}/{rest}") }
            .trim_start_matches('/')
            .to_owned(),
    )
}

/// The version in the name of an official Python image.
fn python_version(image: &LintedImage, stage: usize) -> Option<String> {
    let root = *image.dockerfile.lineage(stage).first()?;
    let base = &image.dockerfile.stages[root].base;
    let (name, tag) = base.rsplit('/').next()?.split_once(':')?;
    let is_python = name.contains("python") || tag.starts_with("python");
    let version = tag.trim_start_matches("python").split(['-', '@']).next()?;
    let is_version = version.starts_with('3') && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    (is_python && is_version && version.contains('.')).then(|| version.to_owned())
}
