//! The report for other programs. Fields are only ever added; a change of meaning raises
//! `format`.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;
use serde::Serialize;

use super::super::{
    finding::{Finding, Report, Saving, Severity},
    shown,
};

const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    findings: Vec<Entry<'a>>,
    /// What could not be looked at, and why.
    left_out: &'a BTreeSet<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    rule: &'a str,
    /// What hadolint or BuildKit calls it.
    code: Option<&'a str>,
    severity: Severity,
    file: String,
    /// Counted from 1.
    line: usize,
    end_line: usize,
    images: &'a BTreeSet<String>,
    why: &'a str,
    fix: &'a str,
    /// Whether `--fix` mends it.
    fixable: bool,
    saving: Option<&'a Saving>,
}

pub(crate) fn json(report: &Report, folder: &Path) -> Result<String> {
    let findings = report.findings.iter().map(|finding| entry(finding, folder)).collect();
    let document = Document { format: FORMAT, findings, left_out: &report.left_out };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn entry<'a>(finding: &'a Finding, folder: &Path) -> Entry<'a> {
    Entry {
        rule: &finding.rule.name,
        code: finding.rule.code.as_deref(),
        severity: finding.severity,
        file: shown(&finding.file, folder),
        line: *finding.lines.start(),
        end_line: *finding.lines.end(),
        images: &finding.images,
        why: &finding.why,
        fix: &finding.fix,
        fixable: finding.edit.is_some(),
        saving: finding.saving.as_ref(),
    }
}
