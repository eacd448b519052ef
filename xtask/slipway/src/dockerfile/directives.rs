//! Directives: comments in the form of `# name=value` at the very beginning of a Dockerfile.

/// The frontend that every engine carries; naming it asks for a newer release of the same.
const BUILT_IN: &str = "docker/dockerfile";

/// Which program reads a Dockerfile.
#[derive(Debug, PartialEq)]
pub(crate) enum Frontend {
    /// One that the engine has in some version; the line as it is written.
    BuiltIn(String),
    /// An image that only a registry has.
    Foreign(String),
}

impl Frontend {
    /// The one that a Dockerfile asks for in its `# syntax=` line.
    pub(crate) fn of(text: &str) -> Option<Frontend> {
        let written = directive(text, "syntax")?;
        let image = written.split_whitespace().next()?;
        let is_built_in = image.trim_start_matches("docker.io/").split([':', '@']).next() == Some(BUILT_IN);
        Some(if is_built_in { Frontend::BuiltIn(written) } else { Frontend::Foreign(image.to_owned()) })
    }

    /// The image that holds it.
    pub(crate) fn image(&self) -> &str {
        match self {
            Frontend::BuiltIn(written) => written.split_whitespace().next().unwrap_or(BUILT_IN),
            Frontend::Foreign(image) => image,
        }
    }
}

/// The character that continues a line.
pub(super) fn escape(text: &str) -> char {
    directive(text, "escape").and_then(|mark| mark.chars().next()).unwrap_or('\\')
}

fn directive(text: &str, wanted: &str) -> Option<String> {
    let mut directives = text.trim_start_matches('\u{feff}').lines().map_while(|line| {
        let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().all(char::is_alphanumeric);
        is_name.then(|| (name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    directives.find(|(name, _)| name == wanted).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frontends_are_told_apart() {
        let built_in = |written: &str| Some(Frontend::BuiltIn(written.to_owned()));
        let table = [
            ("# syntax=docker/dockerfile:1\nFROM a\n", built_in("docker/dockerfile:1")),
            ("#syntax = docker.io/docker/dockerfile\n", built_in("docker.io/docker/dockerfile")),
            ("# escape=`\n# syntax=docker/dockerfile:1 x\n", built_in("docker/dockerfile:1 x")),
            ("# syntax=example.com/other:2\n", Some(Frontend::Foreign("example.com/other:2".to_owned()))),
            ("# a comment\n# syntax=docker/dockerfile:1\n", None),
            ("FROM a\n# syntax=docker/dockerfile:1\n", None),
        ];
        for (text, expected) in table {
            assert_eq!(Frontend::of(text), expected, "{text}");
        }
        assert_eq!(Frontend::of("# syntax=docker/dockerfile:1 x\n").unwrap().image(), "docker/dockerfile:1");
    }
}
