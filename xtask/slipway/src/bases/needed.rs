//! Which images from elsewhere a project's Dockerfiles are built on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use anyhow::{Context as _, Result};

use super::reference::Reference;
use crate::{
    compose::{BuildSection, NamedContext},
    dockerfile::Dockerfile,
};

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

/// The base images of one image.
pub(crate) fn of_build(build: &BuildSection) -> Result<BTreeSet<Reference>> {
    let Some(text) = build.dockerfile_text()? else { return Ok(BTreeSet::new()) };
    let dockerfile = Dockerfile::parse(&text, &build.args).with_context(|| build.dockerfile.to_string())?;
    let named = &build.additional_contexts;
    let mut references: BTreeSet<Reference> = dockerfile
        .outside_images(build.target.as_deref())
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
