//! Small steps one after the other are a layer each.

use super::{
    super::{
        finding::{Report, Saving, Severity},
        project::LintedImage,
    },
    Check, Rule,
};
use crate::dockerfile::{Form, Instruction, Kind, Run};

pub(super) const CONSECUTIVE: Rule = Rule {
    name: "consecutive-runs",
    code: Some("DL3059"),
    severity: Severity::Note,
    summary: "small RUNs follow each other, and each makes a layer",
    check: Check::Image(check),
};

/// Programs so quick that a layer of their own brings nothing.
const QUICK: [&str; 20] = [
    "mkdir", "chmod", "chown", "ln", "echo", "rm", "mv", "cp", "touch", "useradd", "adduser", "groupadd", "addgroup",
    "usermod", "sed", "printf", "install", "true", "test", "cat",
];

fn check(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for stage in image.shipped_stages() {
        let instructions = &image.dockerfile.stages[stage].instructions;
        for group in instructions.chunk_by(|one, other| is_quick(one) && is_quick(other)) {
            let [first, .., last] = group else { continue };
            let why =
                format!("{} small RUNs in a row make as many layers, each with its own start and export", group.len());
            let lines = *first.lines.start()..=*last.lines.end();
            let finding = report.add(rule, image, &lines, why, "join them with && in one RUN");
            let starts = group.len() - 1;
            let plural = if starts == 1 { "" } else { "s" };
            finding.saving = Some(Saving::guess(format!("the start of {starts} container{plural} in a whole build")));
        }
    }
}

fn is_quick(instruction: &Instruction) -> bool {
    let quick = |run: &Run| {
        let all =
            run.commands.iter().all(|command| command.first().is_some_and(|program| QUICK.contains(&program.as_str())));
        all && run.form == Form::Shell && run.mounts.is_empty() && run.network.is_none()
    };
    matches!(&instruction.kind, Kind::Run(run) if quick(run))
}
