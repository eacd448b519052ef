//! Which of a step's commands install or compile, and with what.

use crate::dockerfile::{Copy, Instruction, Kind, Run};

/// A program that fetches what a project depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installer {
    Cargo,
    Pip,
    Uv,
    Npm,
    Go,
    Poetry,
    Bundler,
}

/// `pip install` or `uv pip install`, in any of the ways to write it.
pub(crate) struct PipInstall<'a> {
    pub(crate) installer: Installer,
    /// All words but the program and `install`.
    pub(crate) arguments: Vec<&'a str>,
}

impl PipInstall<'_> {
    pub(crate) fn refuses_cache(&self) -> bool {
        self.arguments.iter().any(|word| matches!(*word, "--no-cache-dir" | "--no-cache"))
    }

    /// Whether it installs what a project lists, as opposed to packages by their names.
    pub(crate) fn is_of_project(&self) -> bool {
        let is_local = |word: &str| matches!(word, "." | "-e" | "--editable") || word.starts_with("./");
        self.has_requirements_file() || self.arguments.iter().any(|word| is_local(word))
    }

    pub(crate) fn has_requirements_file(&self) -> bool {
        self.arguments.iter().any(|word| word.starts_with("-r") || word.starts_with("--requirement"))
    }
}

pub(crate) fn pip_installs(run: &Run) -> impl Iterator<Item = PipInstall<'_>> {
    run.commands.iter().filter_map(|command| pip_install(command))
}

fn pip_install(command: &[String]) -> Option<PipInstall<'_>> {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let (installer, words) = match words.as_slice() {
        [uv, "pip", rest @ ..] if base_name(uv) == "uv" => (Installer::Uv, rest),
        [python, "-m", "pip", rest @ ..] if base_name(python).starts_with("python") => (Installer::Pip, rest),
        [pip, rest @ ..] if is_pip(base_name(pip)) => (Installer::Pip, rest),
        _ => return None,
    };
    let at = words.iter().position(|word| *word == "install")?;
    // What stands before is an option of pip itself, or another of its commands.
    if words[..at].iter().any(|word| !word.starts_with('-')) {
        return None;
    }
    let arguments = words[..at].iter().chain(&words[at + 1..]).copied().collect();
    Some(PipInstall { installer, arguments })
}

fn is_pip(name: &str) -> bool {
    name.strip_prefix("pip").is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The words after `cargo`, a toolchain and options before its command.
pub(crate) fn cargo(command: &[String]) -> Option<Vec<&str>> {
    let (program, rest) = command.split_first()?;
    let words = rest.iter().map(String::as_str).skip_while(|word| word.starts_with(['+', '-']));
    (base_name(program) == "cargo").then(|| words.collect())
}

/// Whether the words after `cargo` compile or fetch dependencies.
pub(crate) fn cargo_fetches(words: &[&str]) -> bool {
    const COMMANDS: [&str; 14] = [
        "build",
        "b",
        "test",
        "t",
        "run",
        "check",
        "c",
        "clippy",
        "bench",
        "doc",
        "rustc",
        "fetch",
        "zigbuild",
        "auditable",
    ];
    match words {
        ["chef", "cook", ..] => true,
        ["install", rest @ ..] => rest.iter().any(|word| word.starts_with("--path")),
        [command, ..] => COMMANDS.contains(command),
        [] => false,
    }
}

pub(crate) fn cargo_compiles(words: &[&str]) -> bool {
    cargo_fetches(words) && words.first() != Some(&"fetch")
}

/// Whether it works without the network, so that somebody has taken care of the dependencies.
pub(crate) fn cargo_is_offline(words: &[&str]) -> bool {
    words.iter().any(|word| matches!(*word, "--offline" | "--frozen"))
}

pub(crate) fn is_cook(words: &[&str]) -> bool {
    matches!(words, ["chef", "cook", ..])
}

/// The words after `apt-get` or `apt`.
pub(crate) fn apt(command: &[String]) -> Option<&[String]> {
    let (program, rest) = command.split_first()?;
    matches!(base_name(program), "apt-get" | "apt").then_some(rest)
}

/// The programs that install a project's dependencies in this step, as opposed to single packages.
pub(crate) fn dependency_installers(run: &Run) -> Vec<Installer> {
    run.commands.iter().filter_map(|command| dependency_installer(command)).collect()
}

fn dependency_installer(command: &[String]) -> Option<Installer> {
    if let Some(words) = cargo(command) {
        return (cargo_fetches(&words) && !cargo_is_offline(&words)).then_some(Installer::Cargo);
    }
    if let Some(install) = pip_install(command) {
        return install.has_requirements_file().then_some(install.installer);
    }
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let (program, rest) = words.split_first()?;
    // A package by name is a tool, and does not depend on the project.
    let only_options = |rest: &[&str]| rest.iter().all(|word| word.starts_with('-'));
    match (base_name(program), rest) {
        ("npm" | "pnpm", ["ci" | "install" | "i", rest @ ..]) if only_options(rest) => Some(Installer::Npm),
        ("yarn", rest) if only_options(rest) => Some(Installer::Npm),
        ("yarn", ["install", rest @ ..]) if only_options(rest) => Some(Installer::Npm),
        ("go", ["mod", "download", ..]) => Some(Installer::Go),
        ("poetry", ["install", ..]) => Some(Installer::Poetry),
        ("uv", ["sync", ..]) => Some(Installer::Uv),
        ("bundle", ["install", ..]) => Some(Installer::Bundler),
        _ => None,
    }
}

/// Whether the step installs anything, from a project's list or by name.
pub(crate) fn installs_anything(run: &Run) -> bool {
    let by_name = |command: &Vec<String>| {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        pip_install(command).is_some()
            || apt(command).is_some_and(|rest| rest.iter().any(|word| word == "install"))
            || matches!(words.as_slice(), ["apk", "add", ..] | ["dnf" | "yum" | "microdnf", ..])
    };
    !dependency_installers(run).is_empty() || run.commands.iter().any(by_name)
}

/// Whether the instruction copies the whole context, or a folder that is plainly the sources.
pub(crate) fn copies_sources(copy: &Copy) -> bool {
    copy.context_sources().any(|source| {
        let source = source.trim_start_matches("./").trim_end_matches('/');
        matches!(source, "" | "." | "*" | "src" | "crates")
    })
}

/// Whether a project's dependencies are there already, by one of these steps or from another
/// stage.
pub(crate) fn has_installed(earlier: &[&Instruction], installer: Installer) -> bool {
    earlier.iter().any(|instruction| match &instruction.kind {
        Kind::Run(run) => dependency_installers(run).contains(&installer),
        Kind::Copy(copy) => copy.from.is_some() && copy.sources.iter().any(|source| is_installed(source, installer)),
        _ => false,
    })
}

/// Whether a path of another stage is where this program puts what it installs.
fn is_installed(path: &str, installer: Installer) -> bool {
    let folders: &[&str] = match installer {
        Installer::Cargo => &["target", "cargo", ".cargo", "registry"],
        Installer::Pip | Installer::Uv | Installer::Poetry => &["site-packages", "venv", ".venv", ".local"],
        Installer::Npm => &["node_modules"],
        Installer::Go => &["mod", "go"],
        Installer::Bundler => &["bundle"],
    };
    folders.contains(&base_name(path.trim_end_matches('/')))
}

fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}
