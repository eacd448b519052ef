//! An image's name as the engine knows it, whatever of it a Dockerfile leaves out.

use std::fmt;

const DEFAULT_REGISTRY: &str = "docker.io";
const OFFICIAL: &str = "library/";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(super) registry: String,
    /// With `library/` for the official images.
    pub(super) path: String,
    pub(super) tag: String,
    pub(super) digest: Option<String>,
}

impl Reference {
    pub(super) fn parse(written: &str) -> Reference {
        let (name, digest) = match written.split_once('@') {
            Some((name, digest)) => (name, Some(digest.to_owned())),
            None => (written, None),
        };
        // A colon before the last slash is that of a port.
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (name, "latest"),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest.to_owned()),
            Some(_) => (DEFAULT_REGISTRY, name.to_owned()),
            None => (DEFAULT_REGISTRY, format!("{OFFICIAL}{name}")),
        };
        Reference { registry: registry.to_owned(), path, tag: tag.to_owned(), digest }
    }

    /// The name of an official image, as in `debian`; none for all others.
    pub(super) fn official_name(&self) -> Option<&str> {
        self.path.strip_prefix(OFFICIAL).filter(|_| self.registry == DEFAULT_REGISTRY)
    }
}

fn is_registry(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

/// As short as people write it.
impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.official_name() {
            Some(name) => write!(formatter, "{name}:{}", self.tag)?,
            None if self.registry == DEFAULT_REGISTRY => write!(formatter, "{}:{}", self.path, self.tag)?,
            None => write!(formatter, "{}/{}:{}", self.registry, self.path, self.tag)?,
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(formatter, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_and_shortened() {
        let table = [
            ("debian", "debian:latest"),
            ("docker.io/library/debian:trixie-slim", "debian:trixie-slim"),
            ("someone/tool", "someone/tool:latest"),
            ("localhost:5000/tool", "localhost:5000/tool:latest"),
            ("ghcr.io/someone/tool:1@sha256:0", "ghcr.io/someone/tool:1@sha256:0"),
        ];
        for (written, shown) in table {
            assert_eq!(Reference::parse(written).to_string(), shown);
        }
        assert_eq!(Reference::parse("debian"), Reference::parse("docker.io/library/debian:latest"));
    }
}
