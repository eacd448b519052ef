//! A base image without a version is another one tomorrow.

use super::{
    super::{
        finding::{Report, Saving, Severity},
        project::LintedImage,
    },
    Check, Rule,
};

pub(super) const UNTAGGED: Rule = Rule {
    name: "untagged-base-image",
    code: Some("DL3006"),
    severity: Severity::Warning,
    summary: "FROM names an image without a tag",
    check: Check::Image(|rule, image, report| check(rule, image, report, None)),
};

pub(super) const LATEST: Rule = Rule {
    name: "latest-base-image",
    code: Some("DL3007"),
    severity: Severity::Warning,
    summary: "FROM names an image's `latest`",
    check: Check::Image(|rule, image, report| check(rule, image, report, Some("latest"))),
};

fn check(rule: &Rule, image: &LintedImage, report: &mut Report, refused: Option<&str>) {
    for stage in image.dockerfile.stages.iter().filter(|stage| stage.base_stage.is_none()) {
        let base = stage.base.as_str();
        let is_known =
            base == "scratch" || base.contains(['@', '$']) || image.build.additional_contexts.contains_key(base);
        if is_known || tag(base) != refused {
            continue;
        }
        let why =
            format!("`{base}` changes without notice: the whole image is then built anew, and from something else");
        let fix = "name a version, as in debian:trixie-slim; with its digest, it never changes";
        let finding = report.add(rule, image, &stage.lines, why, fix);
        finding.saving = Some(Saving::guess("a whole build each time the image changes"));
    }
}

fn tag(base: &str) -> Option<&str> {
    let name = base.rsplit('/').next().unwrap_or(base);
    name.split_once(':').map(|(_, tag)| tag)
}
