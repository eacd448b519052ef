//! The commands, one a file.

pub(crate) mod batch;
pub(crate) mod cancel;
pub(crate) mod completions;
pub(crate) mod fetch;
pub(crate) mod list;
pub(crate) mod llm;
pub(crate) mod result;
pub(crate) mod show;
pub(crate) mod transcribe;
pub(crate) mod watch;

use std::process::ExitCode;

use crate::flags::Command;

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let exit = match command {
        Command::Transcribe(args) => transcribe::run(args).await?,
        Command::List(args) => list::run(args).await?,
        Command::Show(args) => show::run(args).await?,
        Command::Watch(args) => watch::run(args).await?,
        Command::Cancel(args) => cancel::run(args).await?,
        Command::Result(args) => result::run(args).await?,
        Command::Llm(args) => llm::run(args).await?,
        Command::Batch(args) => batch::run(args).await?,
        Command::Fetch(args) => return fetch::run(args).await,
        Command::Completions(args) => completions::run(args)?,
    };
    Ok(exit.into())
}
