//! The one error that activities report: what happened, and whether trying again can help.

use serde::{Deserialize, Serialize};

/// Why a stage failed. The kind decides on retries and travels as Temporal's failure type.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StageError {
    pub kind: FailureKind,
    /// What happened, to what, and what to do next.
    pub message: String,
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
        Self { kind: FailureKind::BadInput, message: message.into() }
    }

    pub fn setup(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Setup, message: message.into() }
    }

    pub fn transient(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Transient, message: message.into() }
    }

    pub fn cancelled() -> Self {
        Self { kind: FailureKind::Cancelled, message: "cancelled".to_owned() }
    }

    pub fn is_retryable(&self) -> bool {
        self.kind == FailureKind::Transient
    }
}
