//! cargo-chef compiles dependencies into a layer; a cache mount in the same place hides it.

use super::{
    super::{
        finding::{Report, Severity},
        programs::{cargo, cargo_compiles, is_cook},
        project::LintedImage,
    },
    Check, Rule,
};
use crate::dockerfile::{Instruction, Kind, Mount, Run};

pub(super) const HIDDEN: Rule = Rule {
    name: "hidden-chef-layer",
    code: None,
    severity: Severity::Warning,
    summary: "a cache mount hides what cargo-chef compiled",
    check: Check::Image(check),
};

fn check(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for (stage, position, instruction, run) in image.dockerfile.runs() {
        if calls(run, is_cook) || !calls(run, cargo_compiles) {
            continue;
        }
        let earlier = image.dockerfile.before(stage, position);
        let Some((cook, cooking)) = earlier.iter().rev().find_map(|earlier| cook(earlier)) else { continue };
        let hidden = target_mounts(run).find(|mount| !has_same(cooking, mount));
        let lost = target_mounts(cooking).find(|mount| !has_same(run, mount));
        let line = *image.source.lines(&cook.lines).start();
        let (why, fix) = match (hidden, lost) {
            (Some(mount), _) => (
                format!("the cache mount on {} hides the dependencies that line {line} compiled there", mount.target),
                "leave this mount out, or drop cargo-chef and keep the mount: one of the two is enough",
            ),
            (None, Some(mount)) => (
                format!(
                    "line {line} compiles the dependencies into a cache mount on {} that is missing here",
                    mount.target
                ),
                "leave the mount out of the cooking step, so that its work is in the layer",
            ),
            (None, None) => continue,
        };
        let finding = report.add(rule, image, &instruction.lines, why, fix);
        finding.saving =
            Some(image.saving(cook, "each time it runs for nothing", "the compilation of all dependencies"));
    }
}

fn calls(run: &Run, wanted: fn(&[&str]) -> bool) -> bool {
    run.commands.iter().filter_map(|command| cargo(command)).any(|words| wanted(&words))
}

fn cook(instruction: &Instruction) -> Option<(&Instruction, &Run)> {
    match &instruction.kind {
        Kind::Run(run) if calls(run, is_cook) => Some((instruction, run)),
        _ => None,
    }
}

fn target_mounts(run: &Run) -> impl Iterator<Item = &Mount> {
    run.mounts.iter().filter(|mount| mount.is_cache() && mount.target.ends_with("/target"))
}

fn has_same(run: &Run, mount: &Mount) -> bool {
    run.mounts.iter().any(|own| own.is_cache() && own.id() == mount.id() && own.target == mount.target)
}
