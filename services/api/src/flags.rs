//! The command line of a service, which is the same for all but for its name and its purpose.

use clap::{Arg, ArgAction, Command};

/// What was typed.
pub struct Flags {
    /// Only ask the service that runs on this machine whether it is ready.
    pub healthy: bool,
}

impl Flags {
    /// Ends the process where the flags are wrong, or the help or the version was asked for.
    ///
    /// `about` is the service's purpose without a final dot.
    pub fn parse(name: &'static str, about: &'static str, example: &'static str) -> Self {
        let settings =
            "Settings come from the environment, a `.env` file, or the TOML file that LONGHAND_CONFIG names.";
        let healthy = Arg::new("healthy")
            .long("healthy")
            .action(ArgAction::SetTrue)
            .help("Only ask the service that runs here whether it is ready: 0 yes, 1 no");
        let command = Command::new(name)
            .version(env!("CARGO_PKG_VERSION"))
            .about(about)
            .long_about(format!("{about}.\n\n{settings}"))
            .after_help(format!("Example:\n  {example}"))
            .arg(healthy);
        Self { healthy: command.get_matches().get_flag("healthy") }
    }
}
