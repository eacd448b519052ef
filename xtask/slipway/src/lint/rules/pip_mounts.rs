//! pip's cache: downloads kept for the next build, and not in the image.

use super::{
    super::{
        finding::{Edit, Report, Saving, Severity},
        programs::{Installer, PipInstall, pip_installs},
        project::LintedImage,
    },
    Check, Rule,
};
use crate::dockerfile::{Form, Instruction, Run};

pub(super) const MISSING: Rule = Rule {
    name: "missing-pip-cache-mount",
    code: None,
    severity: Severity::Warning,
    summary: "pip installs without a cache mount for what it downloads",
    check: Check::Image(check_missing),
};

pub(super) const USELESS: Rule = Rule {
    name: "useless-pip-cache-mount",
    code: None,
    severity: Severity::Warning,
    summary: "pip has a cache mount and is told not to use it",
    check: Check::Image(check_useless),
};

pub(super) const CACHE_IN_LAYER: Rule = Rule {
    name: "pip-cache-in-layer",
    code: Some("DL3042"),
    severity: Severity::Warning,
    summary: "pip leaves its cache in a layer of the image",
    check: Check::Image(check_layer),
};

/// A step that installs with pip.
struct Step<'a> {
    instruction: &'a Instruction,
    run: &'a Run,
    installs: Vec<PipInstall<'a>>,
    stage: usize,
    position: usize,
}

impl<'a> Step<'a> {
    fn all(image: &'a LintedImage) -> impl Iterator<Item = Step<'a>> {
        image.dockerfile.runs().filter_map(|(stage, position, instruction, run)| {
            let installs: Vec<PipInstall<'_>> = pip_installs(run).collect();
            (!installs.is_empty()).then_some(Step { instruction, run, installs, stage, position })
        })
    }

    fn environment(&self, image: &LintedImage, name: &str) -> Option<String> {
        image.environment(self.stage, self.position, name)
    }

    fn has_mount(&self, image: &LintedImage) -> bool {
        let named = ["PIP_CACHE_DIR", "UV_CACHE_DIR"].map(|name| self.environment(image, name));
        self.run.mounts.iter().filter(|mount| mount.is_cache()).any(|mount| {
            let last = mount.target.rsplit('/').next().unwrap_or_default();
            last == ".cache"
                || last.contains("pip")
                || last.contains("uv")
                || named.iter().flatten().any(|named| mount.covers(named))
        })
    }

    /// Whether none of the installs would write or read a cache.
    fn refuses_cache(&self, image: &LintedImage) -> bool {
        // pip takes any value for a refusal, also `off`.
        let refused = |name: &str| {
            let value = self.environment(image, name);
            value.is_some_and(|value| !value.is_empty()) || self.run.script.contains(&format!("{name}="))
        };
        self.installs.iter().all(|install| {
            install.refuses_cache()
                || match install.installer {
                    Installer::Uv => refused("UV_NO_CACHE"),
                    _ => refused("PIP_NO_CACHE_DIR"),
                }
        })
    }

    fn folder(&self) -> &'static str {
        let only_uv = self.installs.iter().all(|install| install.installer == Installer::Uv);
        if only_uv { "/root/.cache/uv" } else { "/root/.cache/pip" }
    }

    fn flag(&self) -> String {
        format!("--mount=type=cache,target={}", self.folder())
    }

    /// The mount changes no image where pip may write it and nobody else looks into the folder.
    fn mount(&self, image: &LintedImage) -> Option<Edit> {
        let moved = ["PIP_CACHE_DIR", "UV_CACHE_DIR", "XDG_CACHE_HOME", "HOME"]
            .iter()
            .any(|name| self.environment(image, name).is_some() || self.run.script.contains(name));
        let looked_into = image.dockerfile.copies().any(|(_, copy)| {
            copy.sources.iter().any(|source| source.contains(".cache") || source.trim_end_matches('/') == "/root")
        });
        let unsafe_here = image.source.is_inline
            || self.run.form == Form::Exec
            || self.run.script.contains(".cache")
            || self.refuses_cache(image)
            || image.has_user(self.stage, self.position);
        (!moved && !looked_into && !unsafe_here).then(|| Edit::RunFlag {
            line: *self.instruction.lines.start(),
            flag: self.flag(),
            escape: image.dockerfile.escape,
        })
    }
}

fn check_missing(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for step in Step::all(image).filter(|step| !step.has_mount(image)) {
        let mut fix = format!("RUN {} ...", step.flag());
        if step.refuses_cache(image) {
            fix.push_str(", without the option or variable that switches the cache off: the mount is not in the image");
        }
        let why = "nothing keeps what is downloaded, so every package is fetched again each time this step runs";
        let finding = report.add(rule, image, &step.instruction.lines, why, fix);
        finding.saving =
            Some(image.saving(step.instruction, "each time a requirement changes", "most of the download"));
        finding.edit = step.mount(image);
        // A tool by its name is seldom installed again.
        if !step.installs.iter().any(PipInstall::is_of_project) {
            finding.severity = Severity::Note;
        }
    }
}

fn check_useless(rule: &Rule, image: &LintedImage, report: &mut Report) {
    for step in Step::all(image).filter(|step| step.has_mount(image) && step.refuses_cache(image)) {
        let why = "the cache mount stays empty, because pip is told not to use a cache";
        let fix = "leave --no-cache-dir or PIP_NO_CACHE_DIR out: a mount is not in the image";
        let finding = report.add(rule, image, &step.instruction.lines, why, fix);
        finding.saving =
            Some(image.saving(step.instruction, "each time a requirement changes", "most of the download"));
    }
}

fn check_layer(rule: &Rule, image: &LintedImage, report: &mut Report) {
    let shipped = image.shipped_stages();
    let steps = Step::all(image).filter(|step| shipped.contains(&step.stage));
    for step in steps.filter(|step| !step.has_mount(image) && !step.refuses_cache(image)) {
        // What the step itself removes again is not in the layer.
        if step.run.script.contains(".cache") || step.run.script.contains("cache purge") {
            continue;
        }
        let why = "pip's cache stays in the image, where nobody reads it";
        let fix = format!("RUN {} ..., or pip install --no-cache-dir", step.flag());
        let finding = report.add(rule, image, &step.instruction.lines, why, fix);
        finding.saving = Some(Saving::guess("as many bytes of the image as pip downloads"));
        finding.edit = step.mount(image);
    }
}
