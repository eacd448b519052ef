//! `slipway builder`: what a builder is and keeps, what its garbage collection would drop, a policy that keeps
//! cache mounts, and pruning. It knows nothing of compose files.

mod amounts;
mod config;
mod forecast;
mod prune;
mod show;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::buildkit::{Builder, Engine, certificates_of_environment};
pub(crate) use forecast::{mounts_go_after, rule_against_mounts};
pub(crate) use show::hours;

pub(crate) const EXAMPLES: &str = "\
Examples:
  slipway builder
  slipway builder config --keep 80GB
  slipway builder prune --older-than 48h --dry-run
  slipway builder prune --keep 10GB --builder tcp://build-host:1234";

/// Show what builds, what it keeps, and what it would drop.
#[derive(Debug, Args)]
pub(crate) struct BuilderArgs {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The builder's address, as in tcp://host:1234; the engine's own builder where none is named
    #[arg(long, value_name = "ADDR", global = true)]
    builder: Option<String>,
    /// Folder of ca.pem, cert.pem and key.pem for a builder at a tcp:// address
    #[arg(long, value_name = "DIR", global = true)]
    builder_certs: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a buildkitd.toml whose garbage collection keeps cache mounts, and show the same for an engine
    Config(config::ConfigArgs),
    /// Drop what has not been used for a time, or what is beyond a size
    Prune(prune::PruneArgs),
}

/// Runs the verb.
pub(crate) fn run(args: &BuilderArgs) -> Result<ExitCode> {
    if let Some(Verb::Config(flags)) = &args.verb {
        return config::run(flags);
    }
    let runtime = tokio::runtime::Runtime::new().context("no threads for the connection")?;
    runtime.block_on(async {
        let builder = connect(args).await?;
        match &args.verb {
            Some(Verb::Prune(flags)) => prune::run(&builder, flags, args.json).await,
            _ => show::run(&builder, args.json).await,
        }
    })
}

async fn connect(args: &BuilderArgs) -> Result<Builder> {
    match &args.builder {
        None => Engine::connect().await?.builder().await,
        Some(address) => {
            let certificates = args.builder_certs.clone().or_else(certificates_of_environment);
            Builder::at(address, certificates.as_deref()).await
        }
    }
}
