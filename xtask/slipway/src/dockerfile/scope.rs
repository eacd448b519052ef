//! What an instruction inherits from those before it: arguments, environment, working folder.

use std::collections::BTreeMap;

use super::{SyntaxError, arguments::expand, logical_lines::LogicalLine, platform, shell::words};

#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// What the build is called with.
    given: BTreeMap<String, String>,
    /// Those of the platform, and those declared before the first FROM.
    global: BTreeMap<String, String>,
    arguments: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    pub(super) workdir: String,
}

impl Scope {
    pub(super) fn global(given: &BTreeMap<String, String>) -> Scope {
        Scope {
            given: given.clone(),
            global: platform::arguments(),
            arguments: BTreeMap::new(),
            environment: BTreeMap::new(),
            workdir: "/".to_owned(),
        }
    }

    /// The beginning of a stage that is built on an image.
    pub(super) fn stage(&self) -> Scope {
        Scope { arguments: BTreeMap::new(), environment: BTreeMap::new(), workdir: "/".to_owned(), ..self.clone() }
    }

    /// The beginning of a stage that is built on the one that ended with this scope.
    pub(super) fn inherited(&self, global: &Scope) -> Scope {
        let environment = self.environment.clone();
        Scope { environment, workdir: self.workdir.clone(), ..global.stage() }
    }

    /// A line before the first FROM.
    pub(super) fn declare_global(&mut self, line: &LogicalLine) -> Result<(), SyntaxError> {
        if line.keyword() != "ARG" {
            return Err(line.error(format!("`{}` stands before the first FROM", line.keyword())));
        }
        for (name, default) in assignments(line.rest()) {
            let default = default.map(|default| self.expand_global(&default));
            if let Some(value) = self.given.get(&name).cloned().or(default) {
                self.global.insert(name, value);
            }
        }
        Ok(())
    }

    pub(super) fn declare(&mut self, name: &str, default: Option<&str>) {
        let given = self.given.get(name).cloned();
        let default = default.map(|default| self.expand(default));
        if let Some(value) = given.or(default).or_else(|| self.global.get(name).cloned()) {
            self.arguments.insert(name.to_owned(), value);
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        let value = self.expand(value);
        self.environment.insert(name.to_owned(), value);
    }

    pub(super) fn enter(&mut self, folder: &str) {
        self.workdir = absolute(&self.workdir, &self.expand(folder));
    }

    /// Fills in everything that is known here.
    pub(super) fn expand(&self, text: &str) -> String {
        expand(text, &|name| {
            let own = self.environment.get(name).or_else(|| self.arguments.get(name));
            own.cloned()
        })
    }

    /// Fills in what a FROM knows, and an ARG before it.
    pub(super) fn expand_global(&self, text: &str) -> String {
        expand(text, &|name| self.global.get(name).cloned())
    }
}

/// `NAME=VALUE ...` or `NAME ...`.
pub(super) fn assignments(text: &str) -> Vec<(String, Option<String>)> {
    words(text)
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        })
        .collect()
}

/// A path in an image, without `.` and `..`.
pub(crate) fn absolute(workdir: &str, path: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{workdir}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}
