//! An argument is part of every later step's key, whether the step reads it or not.

use super::{
    super::{
        finding::{Report, Severity},
        programs::installs_anything,
        project::LintedImage,
    },
    Check, Rule,
};
use crate::dockerfile::{Instruction, Kind, Run};

pub(super) const EARLY: Rule = Rule {
    name: "early-volatile-argument",
    code: None,
    severity: Severity::Warning,
    summary: "an argument that changes with each build stands before steps that install",
    check: Check::Image(check),
};

fn check(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for stage in &image.dockerfile.stages {
        for (position, instruction) in stage.instructions.iter().enumerate() {
            let Kind::Arg(declared) = &instruction.kind else { continue };
            let volatile = declared.iter().find(|(name, default)| is_volatile(name, default.as_deref()));
            let Some((name, _)) = volatile else { continue };
            let later = &stage.instructions[position + 1..];
            let Some(step) = later.iter().find(|later| installs_without(later, name)) else { continue };
            let why = format!(
                "`{name}` changes with each build and is part of the key of every RUN below it, also of those that do \
                 not read it: line {} installs everything again each time",
                image.source.lines(&step.lines).start()
            );
            let finding =
                report.add(rule, image, &instruction.lines, why, "move it down to just before the step that reads it");
            finding.saving = Some(image.saving(step, "each time it changes", "the installation"));
        }
    }
}

/// Whether it names a commit, a time or a count, and has no value that was chosen once.
fn is_volatile(name: &str, default: Option<&str>) -> bool {
    let upper = name.to_ascii_uppercase();
    let named = upper.split('_').any(|part| matches!(part, "SHA" | "COMMIT" | "REVISION" | "TIMESTAMP"))
        || ["BUILD_DATE", "BUILD_TIME", "BUILD_NUMBER", "BUILD_ID", "VCS_REF", "GIT_REF", "GIT_HASH", "CREATED"]
            .iter()
            .any(|known| upper.ends_with(known));
    let placeholders = ["", "unknown", "dev", "none", "local", "main", "head", "0"];
    named && default.is_none_or(|default| placeholders.contains(&default.to_ascii_lowercase().as_str()))
}

fn installs_without(instruction: &Instruction, name: &str) -> bool {
    matches!(&instruction.kind, Kind::Run(run) if installs_anything(run) && !reads(run, name))
}

fn reads(run: &Run, name: &str) -> bool {
    // A compiler may read it from its environment without the script naming it.
    let compiles = run.commands.iter().any(|command| command.first().is_some_and(|program| program == "cargo"))
        && !run.commands.iter().any(|command| command.iter().any(|word| matches!(word.as_str(), "chef" | "fetch")));
    compiles || run.script.contains(name)
}
