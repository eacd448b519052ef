//! How to run a program.

use std::{ffi::OsString, path::PathBuf, process::Command};

#[derive(Debug, Clone)]
pub struct Program {
    pub name: &'static str,
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(String, OsString)>,
    pub readiness: Readiness,
    /// Lower stages are ready before higher ones start, and stop after them.
    pub stage: usize,
}

/// How to tell that a process serves.
#[derive(Debug, Clone, Copy)]
pub enum Readiness {
    /// It accepts connections on that port of this machine.
    Port(u16),
    /// It writes a line that contains this.
    Line(&'static str),
}

impl Program {
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments);
        // Settings of another Temporal server must not lead a process of this stack there.
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|name| name.as_encoded_bytes().starts_with(b"TEMPORAL_")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
