//! `cargo xtask setup`: everything that has to be there before a program of Longhand can run.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use serde::Deserialize;
use supervisor::{Embedded, Program};
use tasks::{Halt, packages};

use crate::{
    needs,
    programs::{self, LONGHAND, Programs},
    workspace,
};

/// What the set-up leads to.
pub(crate) struct Tools {
    pub(crate) programs: Programs,
    /// The program that holds Temporal's dev server.
    pub(crate) temporal: PathBuf,
}

impl Tools {
    /// Temporal's dev server and the named workers and services, as parts of a stack.
    pub(crate) fn stack(&self, embedded: &Embedded, names: &[&'static str]) -> anyhow::Result<Vec<Program>> {
        let mut stack = vec![embedded.temporal(&self.temporal)];
        for name in names {
            stack.push(embedded.program(name, self.programs.path(name)?));
        }
        Ok(stack)
    }
}

/// Installs system packages, builds the named programs, `longhand` among them, fetches Temporal and the models; what is
/// there is left alone.
pub(crate) fn run(programs: &[&str]) -> anyhow::Result<Tools> {
    run_with_features(programs, &[])
}

/// As [`run`]; the programs are built with features that they do not have by default, as cargo writes them for a workspace.
pub(crate) fn run_with_features(programs: &[&str], features: &[&str]) -> anyhow::Result<Tools> {
    packages::ensure(&needs::PROGRAMS)?;
    let programs = programs::build(programs, features)?;
    let temporal = fetch(programs.path(LONGHAND)?)?;
    Ok(Tools { programs, temporal })
}

/// One line of what `longhand fetch --json` prints.
#[derive(Deserialize)]
struct Fetched {
    name: String,
    path: PathBuf,
}

/// Fetches all that the embedded stack uses and gives the path of Temporal's program.
fn fetch(longhand: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new(longhand)
        .args(["fetch", "--json"])
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("longhand cannot be run")?;
    if !output.status.success() {
        return Err(Halt::CommandFailed { command: "longhand fetch", code: 1 }.into());
    }
    let fetched: Vec<Fetched> =
        serde_json::from_slice(&output.stdout).context("the output of `longhand fetch --json` is not understood")?;
    let temporal = fetched.into_iter().find(|fetched| fetched.name == "temporal");
    Ok(temporal.context("`longhand fetch` gave no Temporal")?.path)
}
