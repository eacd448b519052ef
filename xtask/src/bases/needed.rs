//! Which images from elsewhere a project's Dockerfiles are built on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context as _, Result};

use super::dockerfile::{Stage, stages};
use super::reference::Reference;
use crate::compose::{BuildSection, Context, Dockerfile, NamedContext};

/// The images of the project that need a base.
#[derive(Debug, Default)]
pub(super) struct Needed(BTreeSet<String>);

impl fmt::Display for Needed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(String::as_str).collect();
        formatter.write_str(&names.join(", "))
    }
}

/// The base images by who needs them. Dockerfiles that only the engine sees, in a remote context,
/// are left out.
pub(super) fn of_project<'a>(
    images: impl Iterator<Item = (&'a str, &'a BuildSection)>,
) -> Result<BTreeMap<Reference, Needed>> {
    let mut all: BTreeMap<Reference, Needed> = BTreeMap::new();
    for (name, build) in images {
        for reference in of_build(build)? {
            all.entry(reference).or_default().0.insert(name.to_owned());
        }
    }
    Ok(all)
}

fn of_build(build: &BuildSection) -> Result<BTreeSet<Reference>> {
    let text = match (&build.dockerfile, &build.context) {
        (Dockerfile::Inline(text), _) => text.clone(),
        (Dockerfile::File(path), Context::Folder(_)) => std::fs::read_to_string(path)
            .with_context(|| format!("the Dockerfile {} cannot be read", path.display()))?,
        (Dockerfile::File(_), Context::Remote(_)) => return Ok(BTreeSet::new()),
    };
    let stages = stages(&text, &build.args);
    let named = &build.additional_contexts;
    let mut references: BTreeSet<Reference> = outside_names(&stages, build.target.as_deref())
        .into_iter()
        .filter(|name| name != "scratch" && !named.contains_key(name) && !is_named(named, name))
        .map(|name| Reference::parse(&name))
        .collect();
    references.extend(named.values().filter_map(|context| match context {
        NamedContext::Remote(address) => address.strip_prefix("docker-image://").map(Reference::parse),
        NamedContext::Folder(_) | NamedContext::Service(_) => None,
    }));
    Ok(references)
}

/// Contexts replace an image also under its full name.
fn is_named(contexts: &BTreeMap<String, NamedContext>, image: &str) -> bool {
    contexts.keys().any(|name| name.contains([':', '/']) && Reference::parse(name) == Reference::parse(image))
}

/// Names that are no stage, of the stages that the target is made of.
fn outside_names(stages: &[Stage], target: Option<&str>) -> BTreeSet<String> {
    let last = stages.len().wrapping_sub(1);
    let wanted = target.map_or(Some(last), |target| index_of(stages, target));
    let mut open: Vec<usize> = wanted.into_iter().filter(|index| *index < stages.len()).collect();
    let mut seen = BTreeSet::new();
    let mut outside = BTreeSet::new();
    while let Some(index) = open.pop() {
        if !seen.insert(index) {
            continue;
        }
        let stage = &stages[index];
        // A stage is built on one before it only; a later one of the same name is an image to it.
        match index_by_name(&stages[..index], &stage.from) {
            Some(other) => open.push(other),
            None => drop(outside.insert(stage.from.clone())),
        }
        for name in &stage.copies_from {
            match index_of(stages, name) {
                Some(other) => open.push(other),
                None => drop(outside.insert(name.clone())),
            }
        }
    }
    outside
}

fn index_of(stages: &[Stage], name: &str) -> Option<usize> {
    index_by_name(stages, name).or_else(|| name.parse().ok().filter(|index| *index < stages.len()))
}

fn index_by_name(stages: &[Stage], name: &str) -> Option<usize> {
    stages.iter().rposition(|stage| stage.name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(dockerfile: &str, arguments: &str, target: Option<&str>) -> Vec<String> {
        let pairs = arguments.split_whitespace().filter_map(|pair| pair.split_once('='));
        let arguments = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        outside_names(&stages(dockerfile, &arguments), target).into_iter().collect()
    }

    #[test]
    fn base_images_are_found() {
        let table: &[(&str, &str, Option<&str>, &[&str])] = &[
            ("FROM debian\n", "", None, &["debian"]),
            ("# syntax=docker/dockerfile:1\nfrom --platform=$BUILDPLATFORM debian:12 as x\n", "", None, &["debian:12"]),
            ("ARG V=trixie\nFROM debian:${V}-slim\n", "", None, &["debian:trixie-slim"]),
            ("ARG V=trixie\nFROM debian:${V}-slim\n", "V=bookworm", None, &["debian:bookworm-slim"]),
            ("ARG A=a B=\"$A-b\"\nFROM $B\n", "", None, &["a-b"]),
            ("FROM a\nARG V=other\nFROM b:${V:-none}\n", "", None, &["b:none"]),
            ("FROM a AS one\nFROM one\nRUN x\n", "", None, &["a"]),
            ("FROM a AS one\nFROM b\nCOPY --from=one /x /\n", "", None, &["a", "b"]),
            ("FROM a\nFROM b\nCOPY --chown=1 --from=0 /x /\n", "", None, &["a", "b"]),
            ("FROM a AS unused\nFROM b\nCOPY --from=c:1 /x /\n", "", None, &["b", "c:1"]),
            ("FROM a AS one\nFROM b AS two\nFROM c\n", "", Some("TWO"), &["b"]),
            ("FROM a AS one\nFROM b AS two\nFROM c\n", "", Some("0"), &["a"]),
            ("FROM a\nRUN --network=none --mount=type=bind,from=d,target=/d x --from=e\n", "", None, &["a", "d"]),
            ("FROM a\nRUN <<EOF\nFROM b\nEOF\nRUN x <<-'E' y\nFROM c\n\tE\n", "", None, &["a"]),
            ("FROM a\nRUN one \\\n# in between\n  FROM \\\n\n  two\n", "", None, &["a"]),
            ("# escape=`\nFROM a\nRUN one `\nFROM\n", "", None, &["a"]),
            ("FROM debian AS one\nFROM a AS debian\nCOPY --from=one / /\n", "", None, &["a", "debian"]),
            ("FROM x-${TARGETARCH}\n", "", None, &[if cfg!(target_arch = "aarch64") { "x-arm64" } else { "x-amd64" }]),
            ("# nothing\n", "", None, &[]),
        ];
        for (dockerfile, arguments, target, expected) in table {
            assert_eq!(bases(dockerfile, arguments, *target), *expected, "{dockerfile}");
        }
    }
}
