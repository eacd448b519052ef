//! The report as SARIF 2.1.0, which code hosts show beside the lines. Paths are relative to the
//! folder in which the program runs.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::super::{
    finding::{Finding, Report, RuleName},
    shown,
};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(crate) fn sarif(report: &Report, folder: &Path) -> Result<String> {
    let mut rules: Vec<&RuleName> = report.findings.iter().map(|finding| &finding.rule).collect();
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    rules.dedup_by(|one, other| one.name == other.name);
    let results: Vec<Value> = report.findings.iter().map(|finding| result(finding, &rules, folder)).collect();
    let left_out = report
        .left_out
        .iter()
        .map(|reason| json!({"level": "note", "message": {"text": format!("left out: {reason}")}}));
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "slipway",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": left_out.collect::<Vec<_>>(),
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn described(rule: &RuleName) -> Value {
    let mut described = json!({"id": rule.name, "shortDescription": {"text": rule.summary}});
    if let Some(url) = &rule.url {
        described["helpUri"] = json!(url);
    }
    if let Some(code) = &rule.code {
        described["properties"] = json!({"tags": [code]});
    }
    described
}

fn result(finding: &Finding, rules: &[&RuleName], folder: &Path) -> Value {
    let saving = finding.saving.as_ref();
    let saves = saving.map(|saving| format!(" Saves {}.", saving.text)).unwrap_or_default();
    json!({
        "ruleId": finding.rule.name,
        "ruleIndex": rules.iter().position(|rule| rule.name == finding.rule.name),
        "level": finding.severity.name(),
        "message": {"text": format!("{}. Fix: {}.{saves}", finding.why.trim_end_matches('.'), finding.fix)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": address(&finding.file, folder)},
            "region": {"startLine": finding.lines.start(), "endLine": finding.lines.end()},
        }}],
        "properties": {"images": finding.images, "saving": saving},
    })
}

/// A path as an address; what is outside the folder is absolute.
fn address(file: &Path, folder: &Path) -> String {
    let path = shown(file, folder);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let escaped: String = path
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    if path.starts_with('/') { format!("file://{escaped}") } else { escaped }
}
