//! Python packages that only a bench needs, in environments of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use tasks::output::say;

use crate::workspace;

pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Makes the environment where it is missing; a second run finds it.
    pub(crate) fn with(name: &str, packages: &[&str]) -> anyhow::Result<Self> {
        let environment = Self { folder: workspace::root().join("target/peers").join(name) };
        let complete = environment.folder.join("complete");
        if !complete.exists() {
            say(format_args!("installing {name} into {}", environment.folder.display()));
            run(Command::new("python3").args(["-m", "venv"]).arg(environment.folder.join("venv")))?;
            run(Command::new(environment.python()).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
            fs::write(&complete, "")?;
        }
        Ok(environment)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }
}

/// Runs a step of the set-up.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run {program}"))?;
    anyhow::ensure!(status.success(), "{command:?} failed: {status}");
    Ok(())
}
