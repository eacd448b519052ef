//! What the steps of a solve began with. A step without inputs takes something from outside the build; only
//! those of which it is known what they take may be remembered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use anyhow::Result;

use crate::buildkit::{Engine, StepSource};

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
    /// Takes in a step of the solve.
    pub(in crate::build) fn add(&mut self, step: &str, has_inputs: bool) {
        if has_inputs {
            return;
        }
        match StepSource::of(step) {
            StepSource::None => {}
            StepSource::ImageConfig { name } => {
                self.names.insert(name.to_owned());
            }
            StepSource::Image { name, digest } => self.add_image(name, digest),
            StepSource::Other { what } => {
                self.other.get_or_insert_with(|| what.to_owned());
            }
        }
    }

    /// A name that was asked for with its digest stands for that image by itself.
    fn add_image(&mut self, name: &str, digest: Option<&str>) {
        if digest.is_some_and(|digest| self.names.contains(&format!("{name}@{digest}"))) {
            return;
        }
        self.names.insert(name.to_owned());
        if let Some(digest) = digest {
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
        steps.iter().for_each(|step| sources.add(step, false));
        assert_eq!(sources.names.iter().map(String::as_str).collect::<Vec<_>>(), names, "{steps:?}");
        assert_eq!(sources.other.as_deref(), other, "{steps:?}");
    }

    #[test]
    fn what_a_solve_begins_with_is_known_or_suspect() {
        check(&["[internal] load build context", "[stage-0 1/2] WORKDIR /x", "exporting to image"], &[], None);
        check(
            &["[internal] load metadata for docker.io/library/a:1", "[1/2] FROM docker.io/library/a:1@sha256:12"],
            &["docker.io/library/a:1"],
            None,
        );
        check(&["FROM docker.io/library/a:1@sha256:12"], &["docker.io/library/a:1"], None);
        check(&["[internal] load metadata for a:1@sha256:12", "[b 1/2] FROM a:1@sha256:12"], &["a:1@sha256:12"], None);
        check(&["[1/1] ADD http://example.com/u /u"], &[], Some("ADD http://example.com/u /u"));
    }
}
