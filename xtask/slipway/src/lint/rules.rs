//! The rules: one table, and one file for each rule or close family. A rule looks at parsed files
//! and adds findings; it prints nothing and changes nothing.

mod apt;
mod base_image;
mod cache_refs;
mod cargo_mounts;
mod chef_layer;
mod consecutive_runs;
mod dockerignore;
mod mount_sharing;
mod pins;
mod pip_mounts;
mod source_order;
mod target_mount_key;
mod volatile_argument;

use std::ops::RangeInclusive;

use super::{
    finding::{Finding, Report, RuleName, Severity},
    project::{LintedImage, LintedProject},
};

pub(crate) struct Rule {
    /// In small letters with dashes; it never changes.
    pub(crate) name: &'static str,
    /// What hadolint calls it.
    pub(crate) code: Option<&'static str>,
    pub(crate) severity: Severity,
    pub(crate) summary: &'static str,
    check: Check,
}

enum Check {
    Image(fn(&Rule, &LintedImage, &mut Report)),
    Project(fn(&Rule, &LintedProject, &mut Report)),
}

pub(crate) const RULES: [&Rule; 17] = [
    &cargo_mounts::MISSING,
    &pip_mounts::MISSING,
    &pip_mounts::USELESS,
    &pip_mounts::CACHE_IN_LAYER,
    &source_order::SOURCES_FIRST,
    &dockerignore::MISSING,
    &mount_sharing::MIXED,
    &target_mount_key::UNKEYED,
    &chef_layer::HIDDEN,
    &volatile_argument::EARLY,
    &cache_refs::DUPLICATE,
    &pins::CONFLICTING,
    &base_image::UNTAGGED,
    &base_image::LATEST,
    &apt::LISTS_KEPT,
    &apt::RECOMMENDS,
    &consecutive_runs::CONSECUTIVE,
];

impl Rule {
    pub(crate) fn to_name(&self) -> RuleName {
        let code = self.code.map(str::to_owned);
        RuleName { name: self.name.to_owned(), code, summary: self.summary.to_owned(), url: None }
    }
}

impl Report {
    /// Adds a finding at lines of an image's Dockerfile. What it saves and how to mend it by
    /// program is added to what is returned.
    pub(crate) fn add(
        &mut self,
        rule: &Rule,
        image: &LintedImage,
        lines: &RangeInclusive<usize>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> &mut Finding {
        let index = self.findings.len();
        self.findings.push(Finding {
            rule: rule.to_name(),
            severity: rule.severity,
            file: image.source.file.clone(),
            lines: image.source.lines(lines),
            images: [image.name.clone()].into(),
            why: why.into(),
            fix: fix.into(),
            saving: None,
            edit: None,
        });
        &mut self.findings[index]
    }
}

/// Whether a rule may be called so. BuildKit's own are known to the engine only.
pub(crate) fn is_known(name: &str) -> bool {
    name.starts_with("buildkit-") || RULES.iter().any(|rule| rule.to_name().is_called(name))
}

/// Applies every rule to everything.
pub(crate) fn apply(project: &LintedProject, report: &mut Report) {
    for rule in RULES {
        match rule.check {
            Check::Image(check) => project.images.iter().for_each(|image| check(rule, image, report)),
            Check::Project(check) => check(rule, project, report),
        }
    }
    let remote = project.remote.iter().map(|name| format!("`{name}`, whose Dockerfile is in its remote context"));
    report.left_out.extend(remote);
}
