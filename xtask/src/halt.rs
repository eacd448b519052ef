//! Ends that are not failures of the task itself, and the exit codes that tell them apart.

use std::{fmt, process::ExitCode};

/// Why a task stops early. It travels as an error, so that everything on the way is cleaned up.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The user has to do something else first; the text says what.
    YourTurn(String),
    /// A command that the task stands for failed and has said why itself.
    CommandFailed { command: &'static str, code: u8 },
    /// Ctrl-C, or a request to terminate.
    Interrupted,
}

impl Halt {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::YourTurn(_) => 2,
            Self::CommandFailed { code, .. } => *code,
            Self::Interrupted => 130,
        })
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::YourTurn(what_to_do) => f.write_str(what_to_do),
            Self::CommandFailed { command, code } => write!(f, "{command} failed with exit code {code}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Halt {}
