//! The command line: starts jobs, follows them, and reads what they gave.

mod commands;
mod connection;
mod delivery;
mod durations;
mod ended;
mod exit;
mod flags;
mod follow;
mod input;
mod request;
mod table;
mod terminal;
mod upload;

use std::process::ExitCode;

use clap::Parser;

use crate::{exit::Exit, flags::Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match commands::run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) if exit::is_broken_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            terminal::note(&format!("error: {}", exit::explain(&error)));
            Exit::Refused.into()
        }
    }
}
