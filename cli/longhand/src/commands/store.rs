//! `longhand store`: what takes how much, and the sweep.

mod sweep;
mod usage;

use clap::{Args, Subcommand};

use crate::exit::Exit;

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  longhand store
  longhand store --json | jq .audio.bytes
  longhand store sweep --dry-run"
)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    command: Option<StoreCommand>,
    #[command(flatten)]
    usage: usage::UsageArgs,
}

#[derive(Subcommand)]
enum StoreCommand {
    /// Take away what nobody refers to: cut uploads, recordings without a job, what is left of lost jobs
    Sweep(sweep::SweepArgs),
}

pub(crate) async fn run(args: StoreArgs) -> anyhow::Result<Exit> {
    match args.command {
        None => usage::run(args.usage).await,
        Some(StoreCommand::Sweep(args)) => sweep::run(args).await,
    }
}
