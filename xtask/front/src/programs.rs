//! The workspace's programs, built in the release profile.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use supervisor::embedded::{INGESTION, INGESTION_API, JOB_STATUS_API, LLM, TRANSCRIPTION};

use crate::{cargo_build, workspace};

/// The command line.
pub(crate) const LONGHAND: &str = "longhand";
/// The command line, and the workers that do what it asks for.
pub(crate) const JOB_PROGRAMS: [&str; 4] = [LONGHAND, INGESTION, TRANSCRIPTION, LLM];
/// Everything of which a running Longhand consists: the HTTP services, too.
pub(crate) const ALL_PROGRAMS: [&str; 6] = [LONGHAND, INGESTION, TRANSCRIPTION, LLM, INGESTION_API, JOB_STATUS_API];

/// Paths of built programs, by name.
pub(crate) struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    pub(crate) fn path(&self, program: &str) -> anyhow::Result<&Path> {
        self.0.get(program).map(PathBuf::as_path).with_context(|| format!("the build gave no program {program}"))
    }
}

/// Builds programs with features that they do not have by default, as cargo writes them for a workspace.
///
/// # Errors
/// The compiler's complaint, shown in full.
pub(crate) fn build(programs: &[&str], features: &[&str]) -> anyhow::Result<Programs> {
    cargo_build::run(&mut build_command(programs, features)).map(Programs)
}

/// The whole workspace is selected, whichever programs are wanted: cargo gives the packages that they share the
/// features that all of it wants, so that another choice of programs compiles none of those packages anew.
fn build_command(programs: &[&str], features: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.args(["build", "--release", "--workspace"]);
    command.args(programs.iter().flat_map(|program| ["--bin", program]));
    command.args(features.iter().flat_map(|feature| ["--features", feature]));
    command
}
