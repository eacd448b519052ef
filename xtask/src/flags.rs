//! What can be typed after `cargo xtask`.

use clap::{Parser, Subcommand};

use crate::build::BuildArgs;
use crate::engine::EngineArgs;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Builds, runs, tests and measures the project")]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Build(Box<BuildArgs>),
    Engine(EngineArgs),
}
