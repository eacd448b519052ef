//! A cache that is mounted in two sharing modes is two caches whenever the steps meet.

use std::collections::BTreeMap;

use super::{
    super::{
        finding::{Report, Saving, Severity},
        project::{LintedImage, LintedProject},
    },
    Check, Rule,
};
use crate::dockerfile::{Instruction, Mount};

pub(super) const MIXED: Rule = Rule {
    name: "mixed-mount-sharing",
    code: None,
    severity: Severity::Warning,
    summary: "one cache is mounted in different sharing modes",
    check: Check::Project(check),
};

fn check(rule: &Rule, project: &LintedProject, report: &mut Report) {
    let mut first_uses: BTreeMap<String, Use<'_>> = BTreeMap::new();
    for image in &project.images {
        for (_, _, instruction, run) in image.dockerfile.runs() {
            for mount in run.mounts.iter().filter(|mount| mount.is_cache()) {
                let first = first_uses.entry(identity(mount)).or_insert(Use { image, instruction, mount });
                if sharing(first.mount) != sharing(mount) {
                    let finding = report.add(rule, image, &instruction.lines, why(first, mount), fix(first, mount));
                    finding.saving =
                        Some(Saving::guess("what the cache would have saved, each time the two steps meet"));
                }
            }
        }
    }
}

struct Use<'a> {
    image: &'a LintedImage,
    instruction: &'a Instruction,
    mount: &'a Mount,
}

/// What makes the engine keep a cache apart from others; the sharing mode does not.
fn identity(mount: &Mount) -> String {
    let parts = ["uid", "gid", "mode", "from", "source"].map(|name| mount.option(name).unwrap_or_default());
    format!("{} {}", mount.id(), parts.join(" "))
}

fn sharing(mount: &Mount) -> &str {
    mount.option("sharing").unwrap_or("shared")
}

fn why(first: &Use<'_>, mount: &Mount) -> String {
    let name = first.image.source.file.file_name().unwrap_or_default().display();
    let line = first.image.source.lines(&first.instruction.lines);
    format!(
        "the cache `{}` is `{}` here and `{}` in {name}:{}: while one step holds it, the other may find an empty folder",
        mount.id(),
        sharing(mount),
        sharing(first.mount),
        line.start()
    )
}

fn fix(first: &Use<'_>, mount: &Mount) -> String {
    let modes = [sharing(first.mount), sharing(mount)];
    let one = modes.iter().find(|mode| **mode == "locked").unwrap_or(&modes[0]);
    format!("sharing={one} in both")
}
