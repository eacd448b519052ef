//! `slipway doctor`: what images need, whether this machine has it, and how to get what is missing. It changes nothing.

mod base_images;
mod engine;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use tasks::findings::report;

use crate::name::as_typed;

#[derive(Debug, Args)]
#[command(after_help = as_typed("\
Examples:
  slipway doctor
  slipway doctor --json

Exit codes: 0 images can be built, if need be after installing something; 1 they cannot."))]
pub(crate) struct DoctorArgs {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("no threads for the connection")?;
    let mut findings = base_images::findings();
    findings.extend(runtime.block_on(engine::findings()));
    Ok(report(&findings, args.json)?)
}
