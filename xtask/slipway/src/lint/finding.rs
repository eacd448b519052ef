//! What rules find, and the report that collects it.

use std::{collections::BTreeSet, ops::RangeInclusive, path::PathBuf};

use serde::Serialize;

/// How much a finding weighs. Notes alone do not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    Note,
    Warning,
    Error,
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// The rule that a finding is of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RuleName {
    /// In small letters with dashes; it never changes.
    pub(crate) name: String,
    /// What another linter calls it.
    pub(crate) code: Option<String>,
    pub(crate) summary: String,
    pub(crate) url: Option<String>,
}

impl RuleName {
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let own = [Some(&self.name), self.code.as_ref()];
        own.into_iter().flatten().any(|own| own.eq_ignore_ascii_case(name))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) rule: RuleName,
    pub(crate) severity: Severity,
    pub(crate) file: PathBuf,
    /// Counted from 1.
    pub(crate) lines: RangeInclusive<usize>,
    /// The services whose images it concerns.
    pub(crate) images: BTreeSet<String>,
    pub(crate) why: String,
    pub(crate) fix: String,
    pub(crate) saving: Option<Saving>,
    /// What `--fix` does about it; none where that could do harm.
    pub(crate) edit: Option<Edit>,
}

/// What mending a finding saves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Saving {
    pub(crate) basis: Basis,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Basis {
    /// Of earlier builds' times, or of files as they are now.
    Measured,
    Guess,
}

impl Saving {
    pub(crate) fn guess(text: impl Into<String>) -> Saving {
        Saving { basis: Basis::Guess, text: text.into(), seconds: None, bytes: None }
    }

    pub(crate) fn measured_bytes(bytes: u64, text: impl Into<String>) -> Saving {
        Saving { basis: Basis::Measured, text: text.into(), seconds: None, bytes: Some(bytes) }
    }

    pub(crate) fn measured_seconds(seconds: f64, text: impl Into<String>) -> Saving {
        Saving { basis: Basis::Measured, text: text.into(), seconds: Some(seconds), bytes: None }
    }
}

/// A change to a file that alters no image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Edit {
    /// A flag for the RUN that begins on this line.
    RunFlag { line: usize, flag: String, escape: char },
    /// Patterns at the end of a .dockerignore, which is made where it is missing.
    Ignore { file: PathBuf, patterns: Vec<String> },
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    /// What could not be looked at, and why.
    pub(crate) left_out: BTreeSet<String>,
}

impl Report {
    /// Makes one finding of those that several images have in common, and orders them by place.
    pub(crate) fn settle(&mut self) {
        let mut settled: Vec<Finding> = Vec::new();
        for finding in std::mem::take(&mut self.findings) {
            let same = |known: &&mut Finding| {
                (&known.rule.name, &known.file, &known.lines) == (&finding.rule.name, &finding.file, &finding.lines)
            };
            match settled.iter_mut().find(same) {
                Some(known) => known.absorb(finding),
                None => settled.push(finding),
            }
        }
        settled.sort_by(|one, other| {
            let key = |finding: &Finding| (finding.file.clone(), *finding.lines.start(), finding.rule.name.clone());
            key(one).cmp(&key(other))
        });
        self.findings = settled;
    }
}

impl Finding {
    fn absorb(&mut self, other: Finding) {
        self.images.extend(other.images);
        let seconds = |saving: &Option<Saving>| saving.as_ref().and_then(|saving| saving.seconds).unwrap_or_default();
        if seconds(&other.saving) > seconds(&self.saving) {
            self.saving = other.saving;
        }
        // What is safe for one image only is not safe.
        if self.edit != other.edit {
            self.edit = None;
        }
    }
}
