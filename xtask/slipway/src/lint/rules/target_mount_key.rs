//! A target folder's cache without an id is the cache of every project that has a folder of this
//! name.

use super::{
    super::{
        finding::{Report, Saving, Severity},
        programs::{cargo, cargo_compiles},
        project::LintedImage,
    },
    Check, Rule,
};

pub(super) const UNKEYED: Rule = Rule {
    name: "unkeyed-target-mount",
    code: None,
    severity: Severity::Warning,
    summary: "a cache mount for a target folder has no id of its own",
    check: Check::Image(check),
};

fn check(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for (_, _, instruction, run) in image.dockerfile.runs() {
        let compiles = run.commands.iter().filter_map(|command| cargo(command)).any(|words| cargo_compiles(&words));
        let unkeyed = run
            .mounts
            .iter()
            .find(|mount| mount.is_cache() && mount.target.ends_with("/target") && mount.option("id").is_none());
        if let (true, Some(mount)) = (compiles, unkeyed) {
            let why = format!(
                "without an id the cache is called `{}`, as in every other project with this path on the engine: they \
                 wait for each other's locks and may find each other's programs",
                mount.target
            );
            let fix = format!("--mount=type=cache,id={}-target,target={},...", image.name, mount.target);
            let finding = report.add(rule, image, &instruction.lines, why, fix);
            finding.saving = Some(Saving::guess("the wait for other builds' locks"));
        }
    }
}
