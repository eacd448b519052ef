//! One instruction, read as far as somebody asks about it.

use std::ops::RangeInclusive;

use super::{
    SyntaxError,
    logical_lines::LogicalLine,
    mount::Mount,
    scope::{Scope, absolute, assignments},
    shell::{commands, words},
};

#[derive(Debug)]
pub(crate) struct Instruction {
    /// Counted from 1, here-documents included.
    pub(crate) lines: RangeInclusive<usize>,
    /// In one line, white space squeezed, as the engine shows it; a here-document is left out.
    pub(crate) text: String,
    /// Where relative paths begin.
    pub(crate) workdir: String,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Run(Run),
    /// ADD, too.
    Copy(Copy),
    /// Names with their defaults.
    Arg(Vec<(String, Option<String>)>),
    /// Names with their values, as they are written.
    Env(Vec<(String, String)>),
    User(String),
    Other,
}

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) mounts: Vec<Mount>,
    pub(crate) network: Option<String>,
    pub(crate) form: Form,
    /// The simple commands that it calls, with their words.
    pub(crate) commands: Vec<Vec<String>>,
    /// Everything that is run, as it is written.
    pub(crate) script: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form {
    Shell,
    HereDocument,
    /// A JSON array.
    Exec,
}

#[derive(Debug)]
pub(crate) struct Copy {
    /// Relative to the context or to what `from` names; here-documents are left out.
    pub(crate) sources: Vec<String>,
    /// Absolute; with a slash at its end where one is written or it is a folder by its dots.
    pub(crate) destination: String,
    pub(crate) from: Option<String>,
}

impl Copy {
    /// Sources that come from the main context; remote ones do not.
    pub(crate) fn context_sources(&self) -> impl Iterator<Item = &str> {
        let of_context = self.from.is_none();
        self.sources.iter().map(String::as_str).filter(move |source| of_context && !source.contains("://"))
    }
}

/// The image or stage of a FROM, and the name it gives.
pub(super) fn from(line: &LogicalLine, global: &Scope) -> Result<(String, Option<String>), SyntaxError> {
    let (_, rest) = flags(line.rest());
    let parts = words(rest);
    match parts.as_slice() {
        [base] => Ok((global.expand_global(base), None)),
        [base, r#as, name] if r#as.eq_ignore_ascii_case("as") => Ok((global.expand_global(base), Some(name.clone()))),
        _ => Err(line.error("FROM takes an image and, after AS, a name")),
    }
}

impl Instruction {
    pub(super) fn read(line: &LogicalLine, scope: &mut Scope) -> Result<Instruction, SyntaxError> {
        let workdir = scope.workdir.clone();
        let kind = match line.keyword().as_str() {
            "RUN" => Kind::Run(run(line, scope)),
            "COPY" | "ADD" => Kind::Copy(copy(line, scope)?),
            "ARG" => {
                let declared = assignments(line.rest());
                declared.iter().for_each(|(name, default)| scope.declare(name, default.as_deref()));
                Kind::Arg(declared)
            }
            "ENV" => {
                let set = environment(line.rest());
                set.iter().for_each(|(name, value)| scope.set(name, value));
                Kind::Env(set)
            }
            "WORKDIR" => {
                scope.enter(line.rest().trim_matches(['"', '\'']));
                Kind::Other
            }
            "USER" => Kind::User(scope.expand(line.rest())),
            "CMD" | "ENTRYPOINT" | "EXPOSE" | "HEALTHCHECK" | "LABEL" | "MAINTAINER" | "ONBUILD" | "SHELL"
            | "STOPSIGNAL" | "VOLUME" => Kind::Other,
            unknown => return Err(line.error(format!("there is no instruction `{unknown}`"))),
        };
        Ok(Instruction { lines: line.lines.clone(), text: squeezed(&line.text), workdir, kind })
    }
}

/// With single spaces between words.
pub(crate) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The flags at the beginning, as `NAME=VALUE` or `NAME`, and what follows them.
fn flags(text: &str) -> (Vec<&str>, &str) {
    let mut flags = Vec::new();
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix("--") {
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        flags.push(&after[..end]);
        rest = after[end..].trim_start();
    }
    (flags, rest)
}

fn flag<'a>(flags: &[&'a str], name: &str) -> Option<&'a str> {
    flags.iter().find_map(|flag| flag.strip_prefix(name)?.strip_prefix('='))
}

fn run(line: &LogicalLine, scope: &Scope) -> Run {
    let (flags, rest) = flags(line.rest());
    let mounts = flags.iter().filter_map(|flag| flag.strip_prefix("mount="));
    let mounts = mounts.map(|written| Mount::read(written, scope)).collect();
    let exec: Option<Vec<String>> = serde_json::from_str(rest).ok();
    let script = [rest].into_iter().chain(line.here_docs.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
    let form = match &exec {
        Some(_) => Form::Exec,
        None if line.here_docs.is_empty() => Form::Shell,
        None => Form::HereDocument,
    };
    let commands = match exec {
        Some(words) => match words.as_slice() {
            [shell, option, script] if shell.ends_with("sh") && option.ends_with('c') => commands(script),
            _ => vec![words],
        },
        None if rest.starts_with("<<") => line.here_docs.iter().flat_map(|script| commands(script)).collect(),
        None => commands(rest),
    };
    Run { mounts, network: flag(&flags, "network").map(str::to_owned), form, commands, script }
}

fn copy(line: &LogicalLine, scope: &Scope) -> Result<Copy, SyntaxError> {
    let (flags, rest) = flags(line.rest());
    let mut paths: Vec<String> = serde_json::from_str(rest).unwrap_or_else(|_| words(rest));
    let Some(destination) = paths.pop().filter(|_| !paths.is_empty()) else {
        return Err(line.error(format!("{} needs a source and a destination", line.keyword())));
    };
    let destination = scope.expand(&destination);
    let is_folder = destination.ends_with('/') || matches!(destination.as_str(), "." | "..");
    let mut absolute = absolute(&scope.workdir, &destination);
    if is_folder && !absolute.ends_with('/') {
        absolute.push('/');
    }
    let sources = paths.iter().filter(|path| !path.starts_with("<<")).map(|path| scope.expand(path)).collect();
    Ok(Copy { sources, destination: absolute, from: flag(&flags, "from").map(|from| scope.expand(from)) })
}

/// `NAME=VALUE ...`, or in the old form `NAME VALUE`.
fn environment(text: &str) -> Vec<(String, String)> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        return vec![(name.to_owned(), value.trim().to_owned())];
    }
    assignments(text).into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect()
}
