//! `RUN --mount=...`.

use std::collections::BTreeMap;

use super::scope::{Scope, absolute};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mount {
    /// `bind` where none is written.
    pub(crate) kind: String,
    /// Absolute; empty where there is none.
    pub(crate) target: String,
    /// What else is written, by its name in small letters; a name alone is `true`.
    pub(crate) options: BTreeMap<String, String>,
}

impl Mount {
    pub(super) fn read(written: &str, scope: &Scope) -> Mount {
        let mut options: BTreeMap<String, String> = written
            .split(',')
            .map(|part| part.trim().split_once('=').unwrap_or((part.trim(), "true")))
            .map(|(name, value)| (name.to_ascii_lowercase(), scope.expand(value.trim_matches('"'))))
            .collect();
        let mut taken = |names: &[&str]| names.iter().find_map(|name| options.remove(*name));
        let kind = taken(&["type"]).unwrap_or_else(|| "bind".to_owned());
        let target = taken(&["target", "dst", "destination"]).unwrap_or_default();
        let target = if target.is_empty() { target } else { absolute(&scope.workdir, &target) };
        Mount { kind, target, options }
    }

    pub(crate) fn is_cache(&self) -> bool {
        self.kind == "cache"
    }

    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// The name under which the engine keeps a cache.
    pub(crate) fn id(&self) -> &str {
        self.option("id").unwrap_or(&self.target)
    }

    /// Whether this path, or all there is below it, lies in the mount.
    pub(crate) fn covers(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&self.target);
        !self.target.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}
