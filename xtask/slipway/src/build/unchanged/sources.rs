//! What the steps of a solve began with. A step without inputs takes something from outside the build; only
//! those of which it is known what they take may be remembered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use anyhow::Result;

use crate::buildkit::Engine;

/// Steps of the engine itself that take nothing, or only what this program sends.
const OF_THE_ENGINE: [&str; 11] = [
    "[internal] load build definition from ",
    "[internal] load .dockerignore",
    "[internal] load build context",
    "[internal] preparing inline document",
    "[internal] setting cache mount permissions",
    "[auth] ",
    "exporting to image",
    "exporting cache",
    "preparing layers for inline cache",
    "importing cache manifest from ",
    "inferred cache manifest type",
];
/// Instructions that, without inputs, begin with an empty file system.
const OF_NOTHING: [&str; 2] = ["WORKDIR ", "RUN "];
const METADATA: &str = "load metadata for ";
const FRONTEND: &str = "resolve image config for docker-image://";

#[derive(Debug, Default)]
pub(in crate::build) struct Sources {
    /// Names of images as the Dockerfile has them, the default registry and tag added.
    names: BTreeSet<String>,
    /// What these names stood for, where the engine said so.
    digests: BTreeMap<String, String>,
    /// A step that takes something else.
    other: Option<String>,
}

impl Sources {
    pub(in crate::build) fn see(&mut self, step: &str, has_inputs: bool) {
        if has_inputs || OF_THE_ENGINE.iter().any(|known| step.starts_with(known)) {
            return;
        }
        let (place, what) = match step.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
            Some((place, what)) => (place, what),
            None => ("", step),
        };
        let image = what.strip_prefix("FROM ").or_else(|| what.strip_prefix("docker-image://"));
        if let Some(name) = what.strip_prefix(METADATA).or_else(|| what.strip_prefix(FRONTEND)) {
            self.names.insert(name.to_owned());
        } else if let Some(image) = image {
            self.begins_with(image);
        } else if place.starts_with("context ") {
            // Folders are sent, images have had their metadata loaded, and nothing else is remembered at all.
        } else if !OF_NOTHING.iter().any(|instruction| what.starts_with(instruction)) {
            self.other.get_or_insert_with(|| what.to_owned());
        }
    }

    fn begins_with(&mut self, image: &str) {
        let (name, digest) = image.split_once('@').unwrap_or((image, ""));
        if !digest.is_empty() && self.names.contains(image) {
            return;
        }
        self.names.insert(name.to_owned());
        if !digest.is_empty() {
            self.digests.insert(name.to_owned(), digest.to_owned());
        }
    }

    /// The ids of the images that a solve began with, by their names; or why they say too little about the next
    /// one. A name with a digest always stands for the same image. `started` is when the solve did.
    pub(super) async fn ids(
        &self,
        engine: &Engine,
        started: SystemTime,
    ) -> Result<Result<BTreeMap<String, String>, String>> {
        if let Some(step) = &self.other {
            return Ok(Err(format!("`{step}` may bring something new every time")));
        }
        let mut ids = BTreeMap::new();
        for name in self.names.iter().filter(|name| !name.contains('@')) {
            let Some(image) = engine.image(name).await? else {
                return Ok(Err(format!("the registry is asked for {name}, which the engine itself does not have")));
            };
            let other = self.digests.get(name).is_some_and(|digest| *digest != image.id);
            if (other && engine.has_containerd_store) || image.named.is_some_and(|named| named >= started) {
                return Ok(Err(format!("{name} became another image during the last build")));
            }
            ids.insert(name.clone(), image.id);
        }
        Ok(Ok(ids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(steps: &[&str], names: &[&str], other: Option<&str>) {
        let mut sources = Sources::default();
        steps.iter().for_each(|step| sources.see(step, false));
        assert_eq!(sources.names.iter().map(String::as_str).collect::<Vec<_>>(), names, "{steps:?}");
        assert_eq!(sources.other.as_deref(), other, "{steps:?}");
    }

    #[test]
    fn steps_without_inputs_are_known_or_suspect() {
        check(&["[internal] load build context", "[stage-0 1/2] WORKDIR /x", "exporting to image"], &[], None);
        check(
            &["[internal] load metadata for docker.io/library/a:1", "[1/2] FROM docker.io/library/a:1@sha256:12"],
            &["docker.io/library/a:1"],
            None,
        );
        check(&["FROM docker.io/library/a:1@sha256:12"], &["docker.io/library/a:1"], None);
        check(&["[internal] load metadata for a:1@sha256:12", "[b 1/2] FROM a:1@sha256:12"], &["a:1@sha256:12"], None);
        check(&["[context base] load metadata for one", "[context base] one"], &["one"], None);
        check(
            &[
                "resolve image config for docker-image://docker/dockerfile:1",
                "docker-image://docker/dockerfile:1@sha256:1",
            ],
            &["docker/dockerfile:1"],
            None,
        );
        check(&["[1/1] ADD http://example.com/u /u"], &[], Some("ADD http://example.com/u /u"));
        check(&["https://example.com/u"], &[], Some("https://example.com/u"));
        check(&["[internal] something new"], &[], Some("something new"));
        check(&["[linux/amd64 internal] load metadata for a:1"], &["a:1"], None);
    }
}
