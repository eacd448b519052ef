//! `longhand completions`: what a shell needs to complete this command line.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::{exit::Exit, terminal::print};

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

/// `command_line` is the whole of it, as clap has it.
pub(crate) fn run(args: CompletionsArgs, mut command_line: Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command_line, "longhand", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(Exit::Done)
}
