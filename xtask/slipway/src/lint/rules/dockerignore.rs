//! Folders that are large or change with every command belong into a .dockerignore.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    super::{
        finding::{Edit, Report, Saving, Severity},
        project::{LintedImage, LintedProject},
    },
    Check, Rule,
};
use crate::{
    buildkit::{Matches, PathPatterns},
    dockerfile::{Instruction, Kind},
};

pub(super) const MISSING: Rule = Rule {
    name: "missing-dockerignore",
    code: None,
    severity: Severity::Warning,
    summary: "the context takes in .git, target or the like, and no .dockerignore keeps it out",
    check: Check::Project(check),
};

/// What no image is made of, by the name of its folder.
const UNWANTED: [&str; 5] = [".git", "target", "node_modules", ".venv", "__pycache__"];

fn check(rule: &Rule, project: &LintedProject, report: &mut Report) {
    let mut by_context: BTreeMap<&Path, Vec<&LintedImage>> = BTreeMap::new();
    for image in &project.images {
        if let Some(context) = image.context() {
            by_context.entry(context).or_default().push(image);
        }
    }
    for (context, images) in by_context {
        for image in &images {
            let Some(instruction) = takes_all(image) else { continue };
            let ignore = IgnoreFile::of(image, context);
            let unwanted = unwanted(image, context, &ignore);
            if unwanted.is_empty() {
                continue;
            }
            let bytes: u64 = unwanted.iter().map(|name| size(&context.join(name))).sum();
            let finding =
                report.add(rule, image, &instruction.lines, why(&unwanted, instruction), fix(&unwanted, &ignore));
            finding.saving = Some(Saving::measured_bytes(
                bytes,
                format!("{:.1} MB of the context, and this step's key when they change", bytes as f64 / 1e6),
            ));
            let harmless =
                ignore.can_be_extended() && unwanted.iter().all(|name| !images.iter().any(|one| names(one, name)));
            finding.edit = harmless.then(|| Edit::Ignore {
                file: ignore.path.clone(),
                patterns: unwanted.iter().map(|name| (*name).to_owned()).collect(),
            });
        }
    }
}

fn why(unwanted: &[&str], instruction: &Instruction) -> String {
    let copies = instruction.text.split(' ').next().unwrap_or_default();
    format!(
        "{} {} in the context and this {copies} takes all of it: it is sent to the engine, and each change of it \
         repeats every step from here on",
        unwanted.join(", "),
        if unwanted.len() == 1 { "is" } else { "are" }
    )
}

fn fix(unwanted: &[&str], ignore: &IgnoreFile) -> String {
    let name = ignore.path.file_name().unwrap_or_default().display();
    format!("write into {name}, one a line: {}", unwanted.join(" "))
}

/// The first instruction that takes in the whole context.
fn takes_all(image: &LintedImage) -> Option<&Instruction> {
    image.dockerfile.stages.iter().flat_map(|stage| &stage.instructions).find(|instruction| match &instruction.kind {
        Kind::Copy(copy) => copy.context_sources().any(is_all),
        Kind::Run(run) => run
            .mounts
            .iter()
            .any(|mount| mount.kind == "bind" && mount.option("from").is_none() && is_all(source_of(mount))),
        _ => false,
    })
}

fn source_of(mount: &crate::dockerfile::Mount) -> &str {
    mount.option("source").or_else(|| mount.option("src")).unwrap_or(".")
}

fn is_all(source: &str) -> bool {
    matches!(source.trim_start_matches("./").trim_end_matches('/'), "" | "." | "*")
}

/// Folders that are there now, not kept out, and not what a step is after.
fn unwanted(image: &LintedImage, context: &Path, ignore: &IgnoreFile) -> Vec<&'static str> {
    let is_there = |name: &&str| context.join(name).is_dir() && is_made(context, name);
    UNWANTED.into_iter().filter(is_there).filter(|name| !ignore.keeps_out(name) && !names(image, name)).collect()
}

/// A folder called `target` may be a source; one that cargo made says so.
fn is_made(context: &Path, name: &str) -> bool {
    name != "target" || context.join("target/CACHEDIR.TAG").exists() || context.join("Cargo.toml").exists()
}

/// Whether an instruction speaks of the folder, so that it may be needed.
fn names(image: &LintedImage, name: &str) -> bool {
    let prefix = format!("{name}/");
    let is_below = |source: &str| {
        let source = source.trim_start_matches("./");
        source == name || source.starts_with(&prefix)
    };
    image.dockerfile.stages.iter().flat_map(|stage| &stage.instructions).any(|instruction| match &instruction.kind {
        Kind::Copy(copy) => copy.context_sources().any(is_below),
        Kind::Run(run) => {
            let bound = run.mounts.iter().any(|mount| mount.kind == "bind" && is_below(source_of(mount)));
            let uses_git = name == ".git" && run.commands.iter().any(|command| command[0] == "git");
            bound || uses_git
        }
        _ => false,
    })
}

/// The file that the engine reads for an image: the Dockerfile's own one, or the context's.
struct IgnoreFile {
    path: PathBuf,
    lines: Vec<String>,
}

impl IgnoreFile {
    fn of(image: &LintedImage, context: &Path) -> IgnoreFile {
        let mut own = image.source.file.clone().into_os_string();
        own.push(".dockerignore");
        let own = PathBuf::from(own);
        let path = if !image.source.is_inline && own.is_file() { own } else { context.join(".dockerignore") };
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        IgnoreFile { lines: lines.map(str::to_owned).collect(), path }
    }

    fn keeps_out(&self, name: &str) -> bool {
        let patterns = PathPatterns::new(&self.lines);
        patterns.select(&patterns.matches(name, &Matches::default()))
    }

    /// The last match wins: a pattern at the end would undo exceptions before it.
    fn can_be_extended(&self) -> bool {
        !self.lines.iter().any(|line| line.starts_with('!'))
    }
}

/// Bytes of all files in a folder. What cannot be read does not count.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some(if metadata.is_dir() { size(&entry.path()) } else { metadata.len() })
        })
        .sum()
}
