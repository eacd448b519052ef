//! What goes wrong between a client and the Temporal server.

use temporalio_client::{
    errors::{self, WorkflowInteractionError},
    tonic::{Code, Status},
};

use crate::error::StageError;

/// Bytes of JSON that a request may have, so that no payload in a history passes 64 KB.
pub(super) const MAX_INPUT_BYTES: usize = 48 * 1024;

/// Why a call failed, in a sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the Temporal settings are wrong: {0}; check the TEMPORAL_* variables and temporal.toml")]
    Settings(String),
    #[error("cannot reach Temporal at {address}: {reason}; start one with `cargo xtask dev`, or set TEMPORAL_ADDRESS")]
    Unreachable { address: String, reason: String },
    #[error("there is no job {id}; `longhand list` shows the known ones")]
    NotFound { id: String },
    /// It was reached before. Trying again later is right.
    #[error("Temporal does not answer: {0}; jobs go on by themselves, try again when it is back")]
    Silent(String),
    #[error(
        "the request is {bytes} bytes long, of which Temporal gets at most {MAX_INPUT_BYTES}: shorten its prompt or schema"
    )]
    TooLong { bytes: usize },
    #[error("{id} is no transcription, so it has no recording; ask for the job that it belongs to")]
    NoRecording { id: String },
    /// Whoever asks again a little later may have the name.
    #[error("{id} is being deleted; its name is free in a few seconds, try again then")]
    BeingPurged { id: String },
    #[error("Temporal refused: {0}")]
    Refused(String),
}

impl From<ClientError> for StageError {
    /// For activities that ask the server something: it was there when it handed them out.
    fn from(error: ClientError) -> Self {
        Self::transient(error.to_string()).caused_by(error)
    }
}

pub(super) fn interaction(id: &str, error: WorkflowInteractionError) -> ClientError {
    match error {
        WorkflowInteractionError::NotFound(_) => ClientError::NotFound { id: id.to_owned() },
        WorkflowInteractionError::Rpc(status) => rpc_error(&status),
        other => ClientError::Refused(other.to_string()),
    }
}

pub(super) fn listing_failed(error: errors::ClientError) -> ClientError {
    match error {
        errors::ClientError::Rpc(status) => rpc_error(&status),
        other => ClientError::Refused(other.to_string()),
    }
}

pub(super) fn rpc_error(status: &Status) -> ClientError {
    match status.code() {
        // The client's own time-out comes as `Cancelled`.
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => ClientError::Silent(root_cause(status)),
        _ => ClientError::Refused(status.message().to_owned()),
    }
}

/// The innermost cause: gRPC errors wrap "connection refused" four times over.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
