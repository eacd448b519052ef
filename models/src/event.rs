//! What a caller is told while a file is fetched, and why it could not be.

use std::path::{Path, PathBuf};

use engine::error::StageError;

/// Whoever wants to know what happens. Called from the fetching task; it must not block for long.
pub type Events<'a> = &'a (dyn Fn(FetchEvent) + Sync);

/// One step on a file's way into the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchEvent {
    /// The file is there already.
    Cached {
        path: PathBuf,
    },
    /// Another process is fetching the same file; this one waits for it.
    Waiting,
    Trying {
        source: String,
    },
    /// Bytes received of the bytes expected, where that is known.
    Progress {
        done: u64,
        total: Option<u64>,
    },
    /// All bytes are there and their SHA-256 is computed.
    Verifying,
    /// The file is made out of what was received; `step` says how, such as `unpacking`.
    Preparing {
        step: &'static str,
    },
    /// A source did not serve. The next one is tried.
    Refused {
        source: String,
        reason: String,
    },
    Done {
        source: String,
        path: PathBuf,
    },
}

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("unknown model {name}: name one of {known}, or the path of a ggml file")]
    UnknownModel { name: String, known: String },
    #[error("no model at {}: check the path, or name one of {known}", .path.display())]
    NoSuchFile { path: PathBuf, known: String },
    #[error(
        "{asset} could not be fetched.{}\nGive this machine a way to one of these (HTTPS_PROXY is honoured; Python packages come from where pip is configured to look), copy the file from another machine to {}, or {alternative}.",
        listed(.attempts), .target.display()
    )]
    Unavailable { asset: String, attempts: Vec<Attempt>, target: PathBuf, alternative: String },
    #[error("{} cannot be written: {source}; free some space, correct the permissions, or set LONGHAND_CACHE to another folder", .path.display())]
    Cache { path: PathBuf, source: std::io::Error },
    #[error("{} cannot be made from {}: {reason}; delete the latter to have it fetched again", .path.display(), .from.display())]
    Prepare { path: PathBuf, from: PathBuf, reason: String },
}

impl FetchError {
    pub(super) fn cache(path: &Path, source: std::io::Error) -> Self {
        Self::Cache { path: path.to_owned(), source }
    }
}

impl From<FetchError> for StageError {
    fn from(error: FetchError) -> Self {
        Self::from(&error).caused_by(error)
    }
}

/// For an error that is told to several who waited for one file.
impl From<&FetchError> for StageError {
    fn from(error: &FetchError) -> Self {
        let message = error.to_string();
        match error {
            FetchError::UnknownModel { .. } | FetchError::NoSuchFile { .. } => Self::bad_input(message),
            FetchError::Unavailable { attempts, .. } if attempts.iter().any(|attempt| attempt.may_pass) => {
                Self::transient(message)
            }
            FetchError::Unavailable { .. } | FetchError::Cache { .. } | FetchError::Prepare { .. } => {
                Self::setup(message)
            }
        }
    }
}

/// A source that did not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub source: String,
    pub reason: String,
    /// Whether it may serve later: it was out of reach, or had stalled.
    pub may_pass: bool,
}

fn listed(attempts: &[Attempt]) -> String {
    attempts.iter().map(|Attempt { source, reason, .. }| format!("\n  {source}: {reason}")).collect()
}
