//! Ends that are not failures of the task itself, and the exit codes that tell them apart.

use std::{
    fmt,
    process::{ExitCode, ExitStatus},
};

/// Why a task stops early. It travels as an error, so that everything on the way is cleaned up.
#[derive(Debug)]
pub enum Halt {
    /// The user has to do something else first; the text says what.
    ActionRequired(String),
    /// A command that the task stands for failed and has said why itself.
    CommandFailed { command: &'static str, code: u8 },
    /// Ctrl-C, or a request to terminate.
    Interrupted,
}

/// What a program ends with after an error.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    error.downcast_ref::<Halt>().map_or(ExitCode::FAILURE, Halt::exit_code)
}

impl Halt {
    /// Of a command that did not succeed.
    pub fn of(command: &'static str, status: ExitStatus) -> Self {
        let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Self::CommandFailed { command, code }
    }

    /// What keeps a task from beginning is for the user to put right.
    pub fn action_required(error: anyhow::Error) -> anyhow::Error {
        Self::ActionRequired(format!("{error:#}")).into()
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::ActionRequired(_) => 2,
            Self::CommandFailed { code, .. } => *code,
            Self::Interrupted => 130,
        })
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ActionRequired(what_to_do) => f.write_str(what_to_do),
            Self::CommandFailed { command, code } => write!(f, "{command} failed with exit code {code}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for Halt {}
