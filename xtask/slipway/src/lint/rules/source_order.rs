//! Dependencies that are installed after the sources are copied are installed again whenever a
//! source changes.

use super::{
    super::{
        finding::{Report, Severity},
        programs::{Installer, copies_sources, dependency_installers, has_installed},
        project::LintedImage,
    },
    Check, Rule,
};
use crate::dockerfile::{Instruction, Kind, Run};

pub(super) const SOURCES_FIRST: Rule = Rule {
    name: "sources-before-dependencies",
    code: None,
    severity: Severity::Warning,
    summary: "sources are copied before dependencies are installed",
    check: Check::Image(check),
};

fn check(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for (stage, position, instruction, run) in image.dockerfile.runs() {
        let earlier = image.dockerfile.before(stage, position);
        let Some(copy) = earlier.iter().find(|instruction| brings_sources(instruction)) else { continue };
        let installers = dependency_installers(run);
        let is_prepared = |installer: Installer| {
            has_installed(&earlier, installer) || (installer == Installer::Cargo && keeps_compiled(run))
        };
        let late = installers.iter().find(|installer| !is_prepared(**installer));
        let Some(installer) = late else { continue };
        let why = format!(
            "every source comes in before line {} installs the dependencies, so each change of a source installs \
             them again",
            image.source.lines(&instruction.lines).start()
        );
        let finding = report.add(rule, image, &copy.lines, why, advice(*installer));
        let saving = image.saving(instruction, "each time a source changes", "the installation of all dependencies");
        finding.saving = Some(saving);
    }
}

fn brings_sources(instruction: &Instruction) -> bool {
    matches!(&instruction.kind, Kind::Copy(copy) if copies_sources(copy))
}

/// With its target folder in a cache mount, cargo compiles only what changed.
fn keeps_compiled(run: &Run) -> bool {
    run.mounts.iter().any(|mount| mount.is_cache() && mount.target.contains("target"))
}

fn advice(installer: Installer) -> &'static str {
    match installer {
        Installer::Cargo => "give the target folder a cache mount, or cook the dependencies with cargo-chef first",
        Installer::Pip | Installer::Uv => {
            "copy the list of requirements alone, install it, and copy the sources after that"
        }
        Installer::Npm => "copy package.json and the lock file alone, install, and copy the sources after that",
        Installer::Go => "copy go.mod and go.sum alone, download, and copy the sources after that",
        Installer::Poetry => {
            "copy pyproject.toml and poetry.lock alone, run poetry install --no-root, and copy the sources after that"
        }
        Installer::Bundler => "copy the Gemfile and its lock alone, install, and copy the sources after that",
    }
}
