//! `--fix`: writes what findings offer, and shows it. Findings offer only what changes no image.

mod diff;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tasks::output::say;

use super::{
    current_folder,
    finding::{Edit, Finding, Report},
    shown,
};

/// Writes the changes and shows each as a diff. Gives the number of files that changed.
pub(crate) fn apply(report: &Report) -> Result<usize> {
    let mut by_file: BTreeMap<PathBuf, Vec<&Edit>> = BTreeMap::new();
    for (finding, edit) in report.findings.iter().filter_map(|finding| Some((finding, finding.edit.as_ref()?))) {
        let edits = by_file.entry(edited_file(finding, edit)).or_default();
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    let folder = current_folder()?;
    for (file, edits) in &by_file {
        let before = read_or_empty(file)?;
        let after = edited(&before, edits);
        fs::write(file, &after).with_context(|| format!("{} cannot be written", file.display()))?;
        say(format_args!("{}", diff::unified(&shown(file, &folder), &before, &after)));
    }
    Ok(by_file.len())
}

fn edited_file(finding: &Finding, edit: &Edit) -> PathBuf {
    match edit {
        Edit::RunFlag { .. } => finding.file.clone(),
        Edit::Ignore { file, .. } => file.clone(),
    }
}

/// A .dockerignore may be new.
fn read_or_empty(file: &Path) -> Result<String> {
    if file.exists() {
        fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
    } else {
        Ok(String::new())
    }
}

fn edited(before: &str, edits: &[&Edit]) -> String {
    let mut lines: Vec<String> = before.split('\n').map(str::to_owned).collect();
    let mut patterns: Vec<&String> = Vec::new();
    for edit in edits {
        match edit {
            // Each line stays one entry, so that numbers of later edits hold.
            Edit::RunFlag { line, flag, escape } => lines[line - 1] = with_flag(&lines[line - 1], flag, *escape),
            Edit::Ignore { patterns: more, .. } => patterns.extend(more),
        }
    }
    let mut text = lines.join("\n");
    if !patterns.is_empty() && !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for (at, pattern) in patterns.iter().enumerate() {
        if !patterns[..at].contains(pattern) {
            text.push_str(&format!("{pattern}\n"));
        }
    }
    text
}

/// `RUN command` with the flag on a line before the command.
fn with_flag(line: &str, flag: &str, escape: char) -> String {
    let start = line.len() - line.trim_start().len();
    let (keyword, rest) = line[start..].split_at("RUN".len());
    let rest = rest.trim_start();
    let indent = &line[..start];
    if rest.starts_with("<<") || rest.trim_end() == escape.to_string() {
        format!("{indent}{keyword} {flag} {rest}")
    } else {
        format!("{indent}{keyword} {flag} {escape}\n{indent}    {rest}")
    }
}
