//! What apt leaves in an image that nobody asked for.

use super::{
    super::{
        finding::{Report, Saving, Severity},
        programs::apt,
        project::LintedImage,
    },
    Check, Rule,
};
use crate::dockerfile::{Instruction, Kind, Run};

pub(super) const LISTS_KEPT: Rule = Rule {
    name: "apt-lists-kept",
    code: Some("DL3009"),
    severity: Severity::Note,
    summary: "apt's package lists stay in the image",
    check: Check::Image(check_lists),
};

pub(super) const RECOMMENDS: Rule = Rule {
    name: "apt-recommends",
    code: Some("DL3015"),
    severity: Severity::Note,
    summary: "apt-get install brings recommended packages, too",
    check: Check::Image(check_recommends),
};

fn check_lists(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for (_, instruction, run) in shipped_runs(image) {
        let has_lists = |mount: &crate::dockerfile::Mount| mount.covers("/var/lib/apt/lists") && mount.kind != "bind";
        let removed = run.script.contains("/var/lib/apt/lists") || run.mounts.iter().any(has_lists);
        if calls(run, "update") && !removed {
            let why = "the package lists are of no use in the image, and old when somebody uses them";
            let fix =
                "end the RUN with && rm -rf /var/lib/apt/lists/*, or mount a cache on /var/lib/apt and /var/cache/apt";
            let finding = report.add(rule, image, &instruction.lines, why, fix);
            finding.saving = Some(Saving::guess("some 20 MB of the image"));
        }
    }
}

fn check_recommends(rule: &Rule, image: &LintedImage, report: &mut Report) {
    let settled = image.dockerfile.runs().any(|(_, _, _, run)| run.script.contains("APT::Install-Recommends"));
    for (_, instruction, run) in shipped_runs(image).filter(|_| !settled) {
        let installs = run.commands.iter().filter_map(|command| apt(command)).filter(|words| has(words, "install"));
        if installs.into_iter().any(|words| !has(words, "--no-install-recommends")) {
            let why = "recommended packages are downloaded, unpacked and kept, though nothing needs them";
            let finding =
                report.add(rule, image, &instruction.lines, why, "apt-get install --no-install-recommends ...");
            let saving =
                image.saving(instruction, "with the packages that nothing needs", "a part of the installation");
            finding.saving = Some(saving);
        }
    }
}

/// The steps whose files are in the image.
fn shipped_runs(image: &LintedImage) -> impl Iterator<Item = (usize, &Instruction, &Run)> {
    image.shipped_stages().into_iter().flat_map(|stage| {
        image.dockerfile.stages[stage].instructions.iter().filter_map(move |instruction| match &instruction.kind {
            Kind::Run(run) => Some((stage, instruction, run)),
            _ => None,
        })
    })
}

fn calls(run: &Run, command: &str) -> bool {
    run.commands.iter().filter_map(|words| apt(words)).any(|words| has(words, command))
}

fn has(words: &[String], wanted: &str) -> bool {
    words.iter().any(|word| word == wanted)
}
