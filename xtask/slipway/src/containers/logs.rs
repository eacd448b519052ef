//! `slipway logs`: what the services wrote.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::ProjectFlags;
use crate::name::as_typed;

#[derive(Debug, Args)]
#[command(after_help = as_typed("\
Examples:
  slipway logs
  slipway logs transcription-worker --follow
  slipway logs --tail 20"))]
pub(crate) struct LogsArgs {
    /// Services; all of them where none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    project: Files,
    /// Stay, and show what is written from now on
    #[arg(short = 'f', long)]
    follow: bool,
    /// Lines of each service to begin with
    #[arg(long, value_name = "LINES")]
    tail: Option<u32>,
}

/// As [`ProjectFlags`], without the short name that `--follow` has here.
#[derive(Debug, Args)]
struct Files {
    /// Compose file; later ones are laid over earlier ones
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<std::path::PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(args: &LogsArgs) -> Result<ExitCode> {
    crate::engine::running()?;
    let project = ProjectFlags { files: args.project.files.clone() }.as_started()?;
    let tail = args.tail.map(|lines| format!("--tail={lines}"));
    let words = ["logs"].into_iter().chain(args.follow.then_some("--follow")).chain(tail.as_deref());
    project.hand_over(words.chain(args.services.iter().map(String::as_str)))
}
