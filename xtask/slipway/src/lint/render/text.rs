//! The report for people.

use std::path::Path;

use super::super::{
    finding::{Basis, Finding, Report, Saving, Severity},
    shown,
};

pub(crate) fn text(report: &Report, folder: &Path) -> String {
    let findings = report.findings.iter().map(|finding| describe(finding, folder));
    findings.collect::<Vec<_>>().join("\n")
}

fn describe(finding: &Finding, folder: &Path) -> String {
    let code = finding.rule.code.as_ref().filter(|code| code.starts_with("DL"));
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let images: Vec<String> = finding.images.iter().map(|image| format!("`{image}`")).collect();
    let mut text = format!(
        "{}:{}: {}: {}{code}\n",
        shown(&finding.file, folder),
        finding.lines.start(),
        finding.severity.name(),
        finding.rule.name
    );
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<7} {value}\n"));
    line("why", &finding.why);
    line("fix", &finding.fix);
    if let Some(saving) = &finding.saving {
        line("saves", &saved(saving));
    }
    line("images", &images.join(", "));
    text
}

fn saved(saving: &Saving) -> String {
    match saving.basis {
        Basis::Measured => format!("{} (measured)", saving.text),
        Basis::Guess => format!("{} (a guess)", saving.text),
    }
}

/// One line: how much was found, and how much of it a program can mend.
pub(crate) fn summary(report: &Report) -> String {
    let count = |severity: Severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    if report.findings.is_empty() {
        return "nothing found".to_owned();
    }
    let counted = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .map(|(severity, name)| (count(severity), name))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
    let fixable = report.findings.iter().filter(|finding| finding.edit.is_some()).count();
    let hint = if fixable > 0 { format!("; --fix mends {fixable} of them") } else { String::new() };
    format!("{}{hint}", counted.collect::<Vec<_>>().join(", "))
}
