//! `slipway up`, `down`, `restart`, `logs` and `status`: a compose project as containers. Docker Compose does the
//! running; this finds the project's files, builds its images, waits, and tells how the services are. It knows nothing
//! of what the services do.

mod container;
mod definition;
mod down;
mod logs;
mod memory;
mod overview;
mod ports;
mod project;
mod restart;
mod status;
mod up;
mod variant;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::compose::{ProjectRequest, files_of};
pub(crate) use down::{DownArgs, run as down};
pub(crate) use logs::{LogsArgs, run as logs};
use project::ComposeProject;
pub(crate) use restart::{RestartArgs, run as restart};
pub(crate) use status::{StatusArgs, run as status};
pub(crate) use up::{UpArgs, run as up};

/// Which compose project is meant.
#[derive(Debug, Args)]
pub(crate) struct ProjectFlags {
    /// Compose file; later ones are laid over earlier ones
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl ProjectFlags {
    /// The files as named, or the ones that are usual in this folder.
    fn files(&self) -> Result<Vec<PathBuf>> {
        files_of(&ProjectRequest {
            files: self.files.clone(),
            environment: crate::build::environment(),
            folder: std::env::current_dir().context("the current folder is gone")?,
            ..ProjectRequest::default()
        })
    }

    /// The project as it was started: with the files that it is running with, where none is named.
    fn as_started(&self) -> Result<ComposeProject> {
        let project = ComposeProject::of(self.files()?)?;
        if self.files.is_empty() { project.with_files_in_use() } else { Ok(project) }
    }
}
