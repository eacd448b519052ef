//! `longhand completions`: what a shell needs to complete this command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{exit::Exit, flags::Cli, terminal::print};

#[derive(Args)]
#[command(after_help = "\
Examples:
  longhand completions bash > ~/.local/share/bash-completion/completions/longhand
  longhand completions zsh > ~/.zfunc/_longhand")]
pub(crate) struct CompletionsArgs {
    /// The shell to write for
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "longhand", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(Exit::Done)
}
