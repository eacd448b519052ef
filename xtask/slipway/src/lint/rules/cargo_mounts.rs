//! Cargo downloads every crate again, and compiles it again, where nothing keeps its folders.

use super::{
    super::{
        finding::{Edit, Report, Severity},
        programs::{Installer, cargo, cargo_compiles, cargo_fetches, cargo_is_offline, has_installed},
        project::LintedImage,
    },
    Check, Rule,
};
use crate::dockerfile::{Form, Instruction, Kind, Run};

pub(super) const MISSING: Rule = Rule {
    name: "missing-cargo-cache-mount",
    code: None,
    severity: Severity::Warning,
    summary: "cargo runs without cache mounts for its registry or its target folder",
    check: Check::Image(check),
};

const FIX: &str = "RUN --mount=type=cache,target=/usr/local/cargo/registry \
                   --mount=type=cache,id=NAME-target,target=/app/target ..., and copy the program out of the target \
                   folder in the same RUN";

fn check(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for (stage, position, instruction, run) in image.dockerfile.runs() {
        let fetching: Vec<Vec<&str>> =
            run.commands.iter().filter_map(|command| cargo(command)).filter(|words| cargo_fetches(words)).collect();
        let offline = image.environment(stage, position, "CARGO_NET_OFFLINE").is_some();
        if fetching.is_empty() || offline || fetching.iter().any(|words| cargo_is_offline(words)) {
            continue;
        }
        let earlier = image.dockerfile.before(stage, position);
        // A layer with the dependencies, of an earlier step or of this one, is another good way to keep them.
        if has_installed(&earlier, Installer::Cargo) {
            continue;
        }
        if binds_sources(run) || earlier.iter().all(|instruction| !brings_sources(instruction)) {
            continue;
        }
        let compiles = fetching.iter().any(|words| cargo_compiles(words));
        let recompiles = compiles && !has_target_mount(image, stage, position, instruction, run);
        if !has_registry_mount(run) {
            let finding = report.add(rule, image, &instruction.lines, why(recompiles), FIX);
            finding.saving = Some(image.saving(instruction, "each time the step runs", "most of the download"));
            finding.edit = registry_mount(image, stage, position, instruction, run);
        } else if recompiles {
            let why = "nothing keeps cargo's target folder, so every crate is compiled again whenever a source changes";
            let finding = report.add(rule, image, &instruction.lines, why, FIX);
            let guess = "the compilation of all dependencies";
            finding.saving = Some(image.saving(instruction, "each time a source changes", guess));
        }
    }
}

fn why(compiles: bool) -> String {
    let compiled = if compiles { " and compiled" } else { "" };
    format!("nothing keeps cargo's registry, so every crate is downloaded{compiled} again each time this step runs")
}

/// Manifests alone change seldom: a step that only sees them makes a layer of the dependencies.
fn brings_sources(instruction: &Instruction) -> bool {
    let is_manifest = |source: &str| {
        let name = source.rsplit('/').next().unwrap_or(source);
        matches!(name, "Cargo.toml" | "Cargo.lock" | "recipe.json" | ".cargo" | "build.rs")
            || name.starts_with("rust-toolchain")
    };
    match &instruction.kind {
        Kind::Copy(copy) => copy.context_sources().any(|source| !is_manifest(source)),
        _ => false,
    }
}

fn binds_sources(run: &Run) -> bool {
    run.mounts.iter().any(|mount| mount.kind == "bind" && mount.option("from").is_none())
}

fn has_registry_mount(run: &Run) -> bool {
    let keeps = |target: &str| {
        target.contains("registry") || matches!(target.rsplit('/').next(), Some(".cargo" | "cargo" | "cargo-home"))
    };
    run.mounts.iter().any(|mount| mount.is_cache() && keeps(&mount.target))
}

fn has_target_mount(image: &LintedImage, stage: usize, position: usize, instruction: &Instruction, run: &Run) -> bool {
    let named = image.environment(stage, position, "CARGO_TARGET_DIR");
    let keeps = |target: &str| {
        target.rsplit('/').next().is_some_and(|name| name.contains("target"))
            || named.as_deref().is_some_and(|named| named == target)
            || target == instruction.workdir
    };
    run.mounts.iter().any(|mount| mount.is_cache() && keeps(&mount.target))
}

/// A kept registry changes no image as long as nobody but cargo looks into it, and may write it.
fn registry_mount(
    image: &LintedImage,
    stage: usize,
    position: usize,
    instruction: &Instruction,
    run: &Run,
) -> Option<Edit> {
    let home = cargo_home(image, stage, position)?;
    let is_looked_into = image.dockerfile.copies().any(|(_, copy)| {
        copy.from.is_some() && copy.sources.iter().any(|source| source.contains("cargo") || source == "/")
    });
    let by_others = image.dockerfile.runs().any(|(_, _, _, run)| {
        let vendors = run
            .commands
            .iter()
            .filter_map(|command| cargo(command))
            .any(|words| words.first() == Some(&"vendor") || cargo_is_offline(&words));
        vendors || run.script.contains("registry") || run.script.contains("CARGO_HOME")
    });
    if is_looked_into
        || by_others
        || image.source.is_inline
        || run.form == Form::Exec
        || image.has_user(stage, position)
    {
        return None;
    }
    let flag = format!("--mount=type=cache,target={home}/registry");
    Some(Edit::RunFlag { line: *instruction.lines.start(), flag, escape: image.dockerfile.escape })
}

/// Where cargo keeps its files: where the Dockerfile says, or the official image does.
fn cargo_home(image: &LintedImage, stage: usize, position: usize) -> Option<String> {
    if let Some(named) = image.environment(stage, position, "CARGO_HOME") {
        return named.starts_with('/').then_some(named);
    }
    let root = *image.dockerfile.lineage(stage).first()?;
    let base = &image.dockerfile.stages[root].base;
    let name = base.split(['@', ':']).next().unwrap_or(base);
    let is_official = matches!(name, "rust" | "library/rust" | "docker.io/library/rust" | "docker.io/rust");
    is_official.then(|| "/usr/local/cargo".to_owned())
}
