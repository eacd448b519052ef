//! `slipway status`: how the services of a project are.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::{ProjectFlags, overview::Overview};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 every service is well, 1 one is not, 2 wrong use, or something that you have to do first."
)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    project: ProjectFlags,
    /// Print the services as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &StatusArgs) -> Result<ExitCode> {
    crate::engine::running()?;
    let project = args.project.as_started()?;
    let overview = Overview::take(&project, &project.containers()?)?;
    overview.print(args.json)?;
    Ok(if overview.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
