//! As much of a Dockerfile as tells which images it is built on: its stages, what each of them is
//! made from, and what it copies from. Everything else in it is passed over.

use std::collections::BTreeMap;

use super::expansion::expand;

/// The frontend that every engine carries; naming it asks for a newer release of the same.
const BUILT_IN_SYNTAX: &str = "docker/dockerfile";

#[derive(Debug, PartialEq)]
pub(super) struct Stage {
    pub(super) name: Option<String>,
    /// An image, or an earlier stage.
    pub(super) from: String,
    /// Images, stages by name, or stages by number.
    pub(super) copies_from: Vec<String>,
}

/// The stages in their order, with the arguments before the first of them filled in.
pub(super) fn stages(text: &str, arguments: &BTreeMap<String, String>) -> Vec<Stage> {
    let mut values = platform_arguments();
    let mut stages: Vec<Stage> = Vec::new();
    for instruction in instructions(text) {
        let mut words = instruction.split_whitespace();
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        match (keyword.as_str(), stages.last_mut()) {
            ("FROM", _) => stages.extend(stage(words, &values)),
            ("ARG", None) => words.for_each(|declared| declare(declared, arguments, &mut values)),
            ("COPY" | "RUN", Some(stage)) => stage.copies_from.extend(words.map_while(flag).filter_map(source)),
            _ => {}
        }
    }
    stages
}

/// The frontend that a Dockerfile asks for in its `# syntax=` line.
pub(crate) fn foreign_syntax(text: &str) -> Option<Syntax> {
    let written = directives(text).find(|(name, _)| name == "syntax").map(|(_, value)| value)?;
    let image = written.split_whitespace().next()?;
    let is_built_in = image.trim_start_matches("docker.io/").split([':', '@']).next() == Some(BUILT_IN_SYNTAX);
    Some(if is_built_in { Syntax::BuiltIn(written) } else { Syntax::Foreign(image.to_owned()) })
}

/// Which program reads a Dockerfile.
#[derive(Debug, PartialEq)]
pub(crate) enum Syntax {
    /// One that the engine has in some version; the line as it is written.
    BuiltIn(String),
    /// An image that only a registry has.
    Foreign(String),
}

fn platform_arguments() -> BTreeMap<String, String> {
    let architecture = super::archive::architecture();
    let platform = format!("linux/{architecture}");
    ["BUILD", "TARGET"]
        .iter()
        .flat_map(|kind| {
            [("PLATFORM", platform.as_str()), ("OS", "linux"), ("ARCH", architecture), ("VARIANT", "")]
                .map(|(what, value)| (format!("{kind}{what}"), value.to_owned()))
        })
        .collect()
}

fn declare(declared: &str, arguments: &BTreeMap<String, String>, values: &mut BTreeMap<String, String>) {
    let (name, default) = declared.split_once('=').unwrap_or((declared, ""));
    let value = match arguments.get(name) {
        Some(value) => value.clone(),
        None => expand(unquoted(default), values),
    };
    values.insert(name.to_owned(), value);
}

fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

fn stage<'a>(words: impl Iterator<Item = &'a str>, values: &BTreeMap<String, String>) -> Option<Stage> {
    let mut words = words.skip_while(|word| word.starts_with("--"));
    let from = expand(unquoted(words.next()?), values);
    let name = words.next().filter(|word| word.eq_ignore_ascii_case("as")).and_then(|_| words.next());
    Some(Stage { name: name.map(str::to_owned), from, copies_from: Vec::new() })
}

/// Flags stand before everything else of an instruction.
fn flag(word: &str) -> Option<&str> {
    word.strip_prefix("--")
}

/// `from=X` of a `COPY`, or among the options of a `RUN`'s mount.
fn source(flag: &str) -> Option<String> {
    let options = flag.strip_prefix("mount=").unwrap_or(flag);
    options.split(',').find_map(|option| option.strip_prefix("from=")).map(|name| unquoted(name).to_owned())
}

/// Comments in the form of `# name=value` at the very beginning of a Dockerfile.
fn directives(text: &str) -> impl Iterator<Item = (String, String)> {
    text.trim_start_matches('\u{feff}').lines().map_while(|line| {
        let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().all(char::is_alphanumeric);
        is_name.then(|| (name.to_ascii_lowercase(), value.trim().to_owned()))
    })
}

/// Instructions as one line each, without comments and here-documents.
fn instructions(text: &str) -> Vec<String> {
    let escape = directives(text).find(|(name, _)| name == "escape").map_or_else(|| "\\".to_owned(), |(_, mark)| mark);
    let mut found = Vec::new();
    let mut open = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if let Some(continued) = line.strip_suffix(&escape) {
            open.push_str(continued);
            open.push(' ');
            continue;
        }
        let instruction = std::mem::take(&mut open) + line;
        for delimiter in here_documents(&instruction) {
            lines.by_ref().find(|line| line.trim_start_matches('\t') == delimiter);
        }
        found.push(instruction);
    }
    found.extend(Some(open).filter(|open| !open.is_empty()));
    found
}

/// The delimiters of the here-documents that follow an instruction.
fn here_documents(instruction: &str) -> Vec<String> {
    let keyword = instruction.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if !matches!(keyword.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    let begins = instruction.split_whitespace().filter_map(|word| word.split_once("<<")).map(|(_, after)| after);
    let delimiters = begins.map(|after| unquoted(after.trim_start_matches('-')).to_owned());
    delimiters.filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_syntax_line_is_told_apart() {
        let table = [
            ("# syntax=docker/dockerfile:1\nFROM a\n", Some(Syntax::BuiltIn("docker/dockerfile:1".to_owned()))),
            (
                "#syntax = docker.io/docker/dockerfile\n",
                Some(Syntax::BuiltIn("docker.io/docker/dockerfile".to_owned())),
            ),
            ("# syntax=example.com/other:2\n", Some(Syntax::Foreign("example.com/other:2".to_owned()))),
            ("# a comment\n# syntax=docker/dockerfile:1\n", None),
            ("FROM a\n# syntax=docker/dockerfile:1\n", None),
        ];
        for (text, expected) in table {
            assert_eq!(foreign_syntax(text), expected, "{text}");
        }
    }
}
