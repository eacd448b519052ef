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
mod sizes;
mod table;
mod terminal;
mod upload;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::{
    commands::{batch, cancel, completions, delete, fetch, keys, list, llm, result, show, store, transcribe, watch},
    exit::Exit,
    flags::{Cli, Command},
};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) if exit::is_broken_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            terminal::note(&format!("error: {}", exit::explain(&error)));
            Exit::Refused.into()
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let exit = match command {
        Command::Transcribe(args) => transcribe::run(args).await?,
        Command::List(args) => list::run(args).await?,
        Command::Show(args) => show::run(args).await?,
        Command::Watch(args) => watch::run(args).await?,
        Command::Cancel(args) => cancel::run(args).await?,
        Command::Delete(args) => delete::run(args).await?,
        Command::Result(args) => result::run(args).await?,
        Command::Llm(args) => llm::run(args).await?,
        Command::Batch(args) => batch::run(args).await?,
        Command::Store(args) => store::run(args).await?,
        Command::Keys(args) => keys::run(args)?,
        Command::Fetch(args) => return fetch::run(args).await,
        Command::Completions(args) => completions::run(args, Cli::command())?,
    };
    Ok(exit.into())
}
