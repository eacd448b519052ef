//! Debian's releases, by the names and numbers that tags of images use.

/// A release, its number, and the Python that it has.
struct Suite {
    name: &'static str,
    number: &'static str,
    python: &'static str,
}

const SUITES: [Suite; 4] = [
    Suite { name: "forky", number: "14", python: "3.14" },
    Suite { name: "trixie", number: "13", python: "3.13" },
    Suite { name: "bookworm", number: "12", python: "3.11" },
    Suite { name: "bullseye", number: "11", python: "3.9" },
];

/// What images are made from whose tag names no release.
pub(super) const STABLE: &str = "trixie";

/// The release of a name such as `trixie`, `stable` or `13.2`.
pub(super) fn by_name_or_number(text: &str) -> Option<&'static str> {
    if text == "stable" {
        return Some(STABLE);
    }
    let major = text.split('.').next();
    SUITES.iter().find(|suite| suite.name == text || Some(suite.number) == major).map(|suite| suite.name)
}

/// The Python of a release.
pub(super) fn python_of(name: &str) -> Option<&'static str> {
    SUITES.iter().find(|suite| suite.name == name).map(|suite| suite.python)
}

/// The release whose Python is the one requested for, as in `3` or `3.11`; the stable one if it may be.
pub(super) fn with_python(version: Option<&str>) -> Option<&'static str> {
    let fits = |suite: &&Suite| version.is_none_or(|version| is_version(suite.python, version));
    let stable = SUITES.iter().filter(|suite| suite.name == STABLE);
    stable.chain(SUITES.iter()).find(fits).map(|suite| suite.name)
}

/// `3.11 (bookworm)` and so on, for messages.
pub(super) fn pythons() -> String {
    let all: Vec<String> = SUITES.iter().map(|suite| format!("{} ({})", suite.python, suite.name)).collect();
    all.join(", ")
}

/// Whether the version is the one requested for, or a later part of it: 1.95.0 is 1, 1.95 and 1.95.0.
pub(super) fn is_version(version: &str, requested: &str) -> bool {
    version.strip_prefix(requested).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
