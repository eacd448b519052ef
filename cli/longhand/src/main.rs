//! The command line: starts jobs, follows them, and reads what they gave.

mod commands;
mod connection;
mod durations;
mod exit;
mod finished_job;
mod flags;
mod input;
mod job_watcher;
mod output;
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
