//! The workspace's programs, built in the release profile.

use std::{
    collections::BTreeMap,
    fmt::Arguments,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Deserialize;

use crate::{
    halt::Halt,
    output::{is_terminal, say, say_in_place},
};

/// The command line, and the workers that do what it asks for.
pub(crate) const JOB_PROGRAMS: [&str; 4] = ["longhand", "ingestion-worker", "transcription-worker", "llm-worker"];
/// Everything of which a running Longhand consists: the HTTP services, too.
pub(crate) const ALL_PROGRAMS: [&str; 6] =
    ["longhand", "ingestion-worker", "transcription-worker", "llm-worker", "ingestion-api", "job-status-api"];

/// A test of this package. With a test among the targets cargo enables the same features of the dependencies as for
/// `cargo test`; without one, tests and programs would each compile some seventy packages of their own.
const CHEAPEST_TEST: &str = "command-line";

/// How often a build that is not watched on a terminal tells how far it is.
const REPORT_EVERY: Duration = Duration::from_secs(20);

/// Paths of built programs, by name.
pub(crate) struct Binaries(BTreeMap<String, PathBuf>);

impl Binaries {
    pub(crate) fn path(&self, program: &str) -> anyhow::Result<&Path> {
        self.0.get(program).map(PathBuf::as_path).with_context(|| format!("the build gave no program {program}"))
    }
}

/// Where the workspace lies. Cargo tells that whenever it runs this program; what it told the compiler is not true any
/// more of a clone that has moved, for cargo compiles nothing anew there.
pub(crate) fn workspace() -> &'static Path {
    static WORKSPACE: LazyLock<PathBuf> = LazyLock::new(|| {
        let told = std::env::var_os("CARGO_PKG_NAME").is_some_and(|package| package == env!("CARGO_PKG_NAME"));
        let now = told.then(|| std::env::var_os("CARGO_MANIFEST_DIR")).flatten();
        let mut folder = now.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        folder.pop();
        folder
    });
    &WORKSPACE
}

/// The cargo that runs this, as if the user had called it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace());
    forget_own_package(&mut command);
    command
}

/// Keeps from a command what cargo tells this program about its own package: build scripts that watch these variables
/// (ring's does) would run anew, and with them a third of the build.
pub(crate) fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
}

/// Builds programs, telling in one line how far it is.
///
/// # Errors
/// The compiler's complaint, shown in full.
pub(crate) fn build(programs: &[&str], features: &[&str]) -> anyhow::Result<Binaries> {
    let mut command = cargo();
    command.args(["build", "--release", "--workspace", "--message-format", "json-render-diagnostics"]);
    command.args(programs.iter().flat_map(|program| ["--bin", program]));
    command.args(["--test", CHEAPEST_TEST]);
    command.args(features.iter().flat_map(|feature| ["--features", feature]));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cargo cannot be run")?;
    let progress = child.stderr.take().map(|stderr| thread::spawn(|| follow(stderr)));
    let binaries = executables(&mut child)?;
    let complaint = progress.map(thread::JoinHandle::join).and_then(Result::ok).unwrap_or_default();
    if child.wait()?.success() {
        return Ok(Binaries(binaries));
    }
    say(format_args!("{complaint}"));
    Err(Halt::CommandFailed { command: "cargo build", code: 1 }.into())
}

/// The lines of cargo's report that are of interest here.
#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn executables(child: &mut Child) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let Some(stdout) = child.stdout.take() else { return Ok(found) };
    for line in BufReader::new(stdout).lines() {
        let artifact: Artifact = serde_json::from_str(&line?).context("cargo's report is not understood")?;
        if let (Some(path), Some(target)) = (artifact.executable, artifact.target) {
            found.insert(target.name, path);
        }
    }
    Ok(found)
}

/// Turns cargo's progress into one line, and keeps everything else for the case that the build fails.
fn follow(stderr: ChildStderr) -> String {
    let mut kept = String::new();
    let mut progress = Progress { compiled: 0, started: Instant::now(), reported: None };
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let trimmed = line.trim_start();
        match trimmed.split_once(' ') {
            Some(("Compiling", package)) => progress.compiles(package),
            Some(("Blocking", _)) => progress.tell(format_args!("waiting for another cargo to finish")),
            Some(("Downloading", what)) => progress.tell(format_args!("downloading {what}")),
            Some(("Downloaded" | "Finished" | "Updating" | "Locking" | "Adding", _)) => {}
            _ => {
                kept.push_str(&line);
                kept.push('\n');
            }
        }
    }
    progress.finish();
    kept
}

struct Progress {
    compiled: usize,
    started: Instant,
    /// When the last line was written, where there is no terminal.
    reported: Option<Instant>,
}

impl Progress {
    fn compiles(&mut self, package: &str) {
        self.compiled += 1;
        let (compiled, seconds) = (self.compiled, self.started.elapsed().as_secs());
        let name = package.split(" (").next().unwrap_or(package);
        self.tell(format_args!("{compiled} packages in {seconds} s, now {name}"));
    }

    fn tell(&mut self, what: Arguments<'_>) {
        if is_terminal() {
            say_in_place(format_args!("building: {what}"));
        } else if self.reported.is_none_or(|reported| reported.elapsed() >= REPORT_EVERY) {
            say(format_args!("building: {what}"));
            self.reported = Some(Instant::now());
        }
    }

    fn finish(&self) {
        if is_terminal() {
            say_in_place(format_args!(""));
        }
        if self.compiled > 0 {
            say(format_args!("built {} packages in {} s", self.compiled, self.started.elapsed().as_secs()));
        }
    }
}
