//! Running cargo where it compiles: how far it is goes to the user in one line, and what it made is read.

mod progress;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{ChildStdout, Command, Stdio},
    thread,
};

use anyhow::Context;
use serde::Deserialize;
use tasks::{Halt, output::say, watch};

use progress::Progress;

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

/// Runs a `cargo build`, or another command of cargo that only compiles. Gives the paths of the programs that there are
/// then, by name.
///
/// # Errors
/// The compiler's complaint, shown in full.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut child = command
        .args(["--message-format", "json-render-diagnostics"])
        .envs(progress::FORCED)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cargo cannot be run")?;
    let report = child.stdout.take().map(|stdout| thread::spawn(|| executables(stdout)));
    let mut progress = Progress::start();
    if let Some(stderr) = child.stderr.take() {
        watch(stderr, |line| progress.update(line));
    }
    let complaint = progress.finish();
    let status = child.wait()?;
    if !status.success() {
        say(format_args!("{complaint}"));
        return Err(Halt::CommandFailed { command: "cargo build", code: 1 }.into());
    }
    report.and_then(|reader| reader.join().ok()).context("cargo gave no report")?
}

fn executables(report: ChildStdout) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for line in BufReader::new(report).lines() {
        let artifact: Artifact = serde_json::from_str(&line?).context("cargo's report is not understood")?;
        if let (Some(path), Some(target)) = (artifact.executable, artifact.target) {
            found.insert(target.name, path);
        }
    }
    Ok(found)
}
