//! `slipway down`: stops a project's containers and removes them.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::ProjectFlags;
use crate::name::as_typed;

#[derive(Debug, Args)]
#[command(after_help = as_typed("\
Examples:
  slipway down
  slipway down --volumes

Jobs, recordings, models and measurements are in volumes, which stay unless --volumes is given."))]
pub(crate) struct DownArgs {
    #[command(flatten)]
    project: ProjectFlags,
    /// Remove everything that was kept, too
    #[arg(long)]
    volumes: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &DownArgs) -> Result<ExitCode> {
    crate::engine::running()?;
    let volumes = args.volumes.then_some("--volumes");
    args.project.as_started()?.hand_over(["down", "--remove-orphans"].into_iter().chain(volumes))
}
