//! The one error that activities report: what happened, and whether trying again can help.

use std::{error::Error, time::Duration};

use serde::{Deserialize, Serialize};

/// Why a stage failed. The kind decides on retries and travels as Temporal's failure type.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StageError {
    pub kind: FailureKind,
    /// What happened, to what, and what to do next.
    pub message: String,
    /// When to try again, where that is known.
    pub retry_after: Option<Duration>,
    /// What brought it about, for the worker's log. It does not travel.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The input can never work: never retried.
    BadInput,
    /// A setting, key, model or disk has to be put right by a person: never retried.
    Setup,
    /// A network, service or disk hiccup: retried with back-off.
    Transient,
    /// The job was cancelled or the worker is stopping.
    Cancelled,
}

impl StageError {
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(FailureKind::BadInput, message)
    }

    pub fn setup(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Setup, message)
    }

    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Transient, message)
    }

    pub fn cancelled() -> Self {
        Self::new(FailureKind::Cancelled, "cancelled")
    }

    /// The same, with what brought it about.
    pub fn caused_by(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// The same, with when to try again.
    pub fn retry_after(self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, source: None }
    }

    pub fn is_retryable(&self) -> bool {
        self.kind == FailureKind::Transient
    }
}
