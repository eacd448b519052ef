//! What can go wrong with an object, told apart by what helps.

use std::{error::Error, io, path::PathBuf};

use crate::error::StageError;

/// What went wrong with which object.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store has no object {key}")]
    NotFound { key: String },
    #[error(
        "the store has no space left for {key}: free some, or point LONGHAND_STORE elsewhere, then submit the job again"
    )]
    Full { key: String },
    #[error("the store at {url} cannot be opened: {reason}; check LONGHAND_STORE")]
    Open { url: String, reason: String },
    #[error(
        "object {key} in the store is not what was expected: {reason}; submit the job again, which makes it anew where it \
         can be made"
    )]
    Corrupt { key: String, reason: String },
    #[error(
        "{key} could not be gathered in the temporary folder {} on its way into the store: {source}; TMPDIR names \
         another folder", .folder.display()
    )]
    Temporary { key: String, folder: PathBuf, source: io::Error },
    #[error("the store failed on {key}: {source}")]
    Failed { key: String, source: object_store::Error },
}

impl From<StoreError> for StageError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let stage_error = match error {
            StoreError::Failed { .. } => Self::transient(message),
            StoreError::NotFound { .. } | StoreError::Corrupt { .. } => Self::bad_input(message),
            StoreError::Full { .. } | StoreError::Open { .. } | StoreError::Temporary { .. } => Self::setup(message),
        };
        stage_error.caused_by(error)
    }
}

pub(super) fn classify(key: &str, error: object_store::Error) -> StoreError {
    let key = key.to_owned();
    if matches!(error, object_store::Error::NotFound { .. }) {
        return StoreError::NotFound { key };
    }
    if caused_by(&error, io::ErrorKind::StorageFull) || caused_by(&error, io::ErrorKind::QuotaExceeded) {
        return StoreError::Full { key };
    }
    StoreError::Failed { key, source: error }
}

fn caused_by(error: &(dyn Error + 'static), kind: io::ErrorKind) -> bool {
    let own = error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == kind);
    own || error.source().is_some_and(|source| caused_by(source, kind))
}
