//! Builds on the machine itself, without images: what a developer would type, in the working copy.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tasks::forget_own_package;

use super::project::{BenchProject, Pair};
use crate::compose::HostBuild;

/// A host build with the folder that it keeps its results in.
pub(super) struct Host {
    build: HostBuild,
    root: PathBuf,
    output: PathBuf,
}

impl Host {
    /// None where the project does not say how one builds on the host.
    pub(super) fn of(project: &BenchProject, output: PathBuf) -> Option<Host> {
        Some(Host { build: project.bench.host.clone()?, root: project.root.clone(), output })
    }

    /// What builds these services' programs.
    pub(super) fn command(&self, pairs: &[&Pair]) -> Command {
        let services: Vec<&str> = pairs.iter().map(|pair| pair.name()).collect();
        let words = self.build.command_line(&self.output.to_string_lossy(), &services);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).envs(self.build.environment(&self.output.to_string_lossy())).current_dir(&self.root);
        forget_own_package(&mut command);
        command
    }

    pub(super) fn program(&self, service: &str) -> PathBuf {
        self.root.join(self.build.program(&self.output.to_string_lossy(), service))
    }

    pub(super) fn output(&self) -> &Path {
        &self.output
    }
}
