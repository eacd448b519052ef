//! Python requirements that cannot be installed together, told before a build finds it out. A
//! resolver decides; this finds what a Dockerfile installs and puts the answer into place.

mod conflict;
mod requirement;
mod sources;

use super::{
    super::{
        finding::{Finding, Report, Saving, Severity},
        project::{LintedImage, LintedProject},
        uv::{Resolution, Uv},
    },
    Check, Rule,
};
use conflict::Conflict;
use sources::{PythonStage, python_stages};

pub(super) const CONFLICTING: Rule = Rule {
    name: "conflicting-pins",
    code: None,
    severity: Severity::Error,
    summary: "Python requirements conflict with each other or with a package's own",
    check: Check::Project(check),
};

fn check(rule: &Rule, project: &LintedProject, report: &mut Report) {
    let stages: Vec<(&LintedImage, PythonStage)> = project
        .images
        .iter()
        .flat_map(|image| python_stages(image).into_iter().map(move |stage| (image, stage)))
        .filter(|(_, stage)| stage.requirements.len() > 1)
        .collect();
    if stages.is_empty() {
        return;
    }
    let uv = match Uv::find_or_install() {
        Ok(uv) => uv,
        Err(error) => {
            report.left_out.insert(format!("{}, for the resolver uv cannot be had: {error:#}", rule.name));
            return;
        }
    };
    for (image, stage) in stages {
        if let Err(reason) = resolve(rule, image, &stage, &uv, report) {
            report.left_out.insert(format!("{} of `{}`: {reason}", rule.name, image.name));
        }
    }
}

/// # Errors
/// Why there is no answer.
fn resolve(rule: &Rule, image: &LintedImage, stage: &PythonStage, uv: &Uv, report: &mut Report) -> Result<(), String> {
    let explanation = match uv.resolve(&stage.question()).map_err(|error| format!("{error:#}"))? {
        Resolution::Possible => return Ok(()),
        Resolution::Impossible(explanation) => explanation,
        Resolution::Unknown(reason) => return Err(reason),
    };
    let conflict = Conflict::read(&explanation, &stage.requirements)
        .ok_or_else(|| format!("uv finds no solution, and not for a conflict of pins: {explanation}"))?;
    report.findings.push(finding(rule, image, &conflict));
    Ok(())
}

fn finding(rule: &Rule, image: &LintedImage, conflict: &Conflict<'_>) -> Finding {
    let last = conflict.last();
    Finding {
        rule: rule.to_name(),
        severity: rule.severity,
        file: last.file.clone(),
        lines: last.line..=last.line,
        images: [image.name.clone()].into(),
        why: conflict.why(),
        fix: conflict.fix(),
        saving: Some(Saving::guess("a build that fails, or an image whose packages do not fit each other")),
        edit: None,
    }
}
