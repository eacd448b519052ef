//! The paths that a source names from its crate's root or its parent on, out of its text.

#[test]
fn paths_are_found_in_every_spelling() {
    for (text, expected) in [
        ("use crate::job::Source;", vec!["crate::job::Source"]),
        (
            "use super::{\n    job::{Source, self},\n    llm as model, result,\n};",
            vec!["super::job::Source", "super::job::self", "super::llm", "super::result"],
        ),
        ("    crate::tls::install::<T>();", vec!["crate::tls::install"]),
        ("use super::super::plan::*;", vec!["super::super::plan"]),
        ("// as crate::store is\nuse std::fs;\npub(crate) fn f() {}", vec![]),
        ("use super::job;\nmod tests {\n    use crate::store;", vec!["super::job"]),
    ] {
        let found: Vec<String> = module_paths(text).iter().map(|path| path.join("::")).collect();
        assert_eq!(found, expected, "{text}");
    }
}

/// The names of each path that begins with `crate` or `super`, a group's member by member. Comments do not count, and
/// neither do tests, which stand at a file's end.
pub(super) fn module_paths(text: &str) -> Vec<Vec<String>> {
    let program = text.split("mod tests {").next().unwrap_or_default();
    let code: Vec<&str> = program.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut tokens = Tokens { all: tokens(&code), at: 0 };
    let mut paths = Vec::new();
    while tokens.at < tokens.all.len() {
        if tokens.begins_path() {
            paths.extend(tokens.paths());
        } else {
            tokens.at += 1;
        }
    }
    paths
}

/// Names, `::`, and every other character by itself.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let name = rest.find(|letter: char| !is_of_name(letter)).unwrap_or(rest.len());
        let length = match name {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            name => name,
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

struct Tokens<'a> {
    all: Vec<&'a str>,
    at: usize,
}

impl Tokens<'_> {
    fn begins_path(&self) -> bool {
        let is_root = matches!(self.all[self.at], "crate" | "super");
        is_root && self.all.get(self.at + 1) == Some(&"::")
    }

    /// The paths that begin at the next token: none of them where it is neither a name nor a group.
    fn paths(&mut self) -> Vec<Vec<String>> {
        if self.skip("{") {
            return self.members();
        }
        let name = self.all.get(self.at).filter(|token| token.starts_with(is_of_name));
        let Some(name) = name.map(|name| (*name).to_owned()) else { return vec![Vec::new()] };
        self.at += 1;
        if self.skip("::") {
            return self.paths().into_iter().map(|rest| [vec![name.clone()], rest].concat()).collect();
        }
        if self.skip("as") {
            self.at += 1;
        }
        vec![vec![name]]
    }

    /// The paths of a group, up to its end.
    fn members(&mut self) -> Vec<Vec<String>> {
        let mut members = Vec::new();
        while self.at < self.all.len() && !self.skip("}") {
            if !self.skip(",") {
                let before = self.at;
                members.extend(self.paths());
                // A `*` is all of the parent's.
                self.at = self.at.max(before + 1);
            }
        }
        members
    }

    fn skip(&mut self, token: &str) -> bool {
        let is_next = self.all.get(self.at) == Some(&token);
        self.at += usize::from(is_next);
        is_next
    }
}
