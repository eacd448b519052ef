//! What can go wrong with an object, told apart by what helps.

use std::{error::Error, io, path::PathBuf, time::Duration};

use crate::error::StageError;

/// Before a stage is tried again that found no room in the store: whoever makes some takes minutes.
const ROOM_PAUSE: Duration = Duration::from_secs(30);

/// What went wrong with which object.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store has no object {key}")]
    NotFound { key: String },
    #[error(
        "the store has no space left for {key}: free some, or point LONGHAND_STORE elsewhere, then submit the job again"
    )]
    Full { key: String },
    #[error(
        "{key} cannot be written to the store, which takes nothing in: {reason}; make it writable for the program's user"
    )]
    ReadOnly { key: String, reason: String },
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
            // What has been done is kept, and goes on as soon as somebody has made room.
            StoreError::Full { .. } | StoreError::ReadOnly { .. } => Self::transient(message).retry_after(ROOM_PAUSE),
            StoreError::Temporary { ref source, .. } if is_full(source.kind()) => {
                Self::transient(message).retry_after(ROOM_PAUSE)
            }
            StoreError::NotFound { .. } | StoreError::Corrupt { .. } => Self::bad_input(message),
            StoreError::Open { .. } | StoreError::Temporary { .. } => Self::setup(message),
        };
        stage_error.caused_by(error)
    }
}

pub(super) fn classify(key: &str, error: object_store::Error) -> StoreError {
    let key = key.to_owned();
    // A name that no file can have is no object's.
    let is_absent = matches!(error, object_store::Error::NotFound { .. })
        || has_cause(&error, |kind| kind == io::ErrorKind::InvalidFilename);
    if is_absent {
        return StoreError::NotFound { key };
    }
    if has_cause(&error, is_full) {
        return StoreError::Full { key };
    }
    StoreError::Failed { key, source: error }
}

/// Whether the folder was gone in which something was to be written.
pub(super) fn has_lost_its_folder(error: &object_store::Error) -> bool {
    !matches!(error, object_store::Error::NotFound { .. }) && has_cause(error, |kind| kind == io::ErrorKind::NotFound)
}

/// As [`classify`], for what was to be written, renamed or deleted.
pub(super) fn classify_write(key: &str, error: object_store::Error) -> StoreError {
    let is_refused =
        matches!(error, object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. })
            || has_cause(&error, is_read_only);
    if is_refused {
        return StoreError::ReadOnly { key: key.to_owned(), reason: root_cause(&error) };
    }
    if has_cause(&error, |kind| kind == io::ErrorKind::InvalidFilename) {
        return StoreError::Failed { key: key.to_owned(), source: error };
    }
    classify(key, error)
}

/// Whether the disk has no room, or its user may take no more of it.
fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn is_read_only(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn has_cause(error: &(dyn Error + 'static), is_meant: fn(io::ErrorKind) -> bool) -> bool {
    let own = error.downcast_ref::<io::Error>().is_some_and(|io| is_meant(io.kind()));
    own || error.source().is_some_and(|source| has_cause(source, is_meant))
}

fn root_cause(error: &(dyn Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), root_cause)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{StoreError, classify, classify_write};
    use crate::error::{FailureKind, StageError};

    #[test]
    fn what_passes_when_somebody_makes_room_is_waited_for() {
        use io::ErrorKind::{
            InvalidFilename, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull, TimedOut,
        };

        let failed = |kind: io::ErrorKind| object_store::Error::Generic {
            store: "folder",
            source: io::Error::from(kind).into(),
        };
        for (kind, written, waits, message) in [
            (StorageFull, true, true, "no space left for jobs/a"),
            (QuotaExceeded, true, true, "no space left for jobs/a"),
            (ReadOnlyFilesystem, true, true, "jobs/a cannot be written to the store"),
            (PermissionDenied, true, true, "jobs/a cannot be written to the store"),
            (PermissionDenied, false, false, "the store failed on jobs/a"),
            (TimedOut, true, false, "the store failed on jobs/a"),
            (InvalidFilename, true, false, "the store failed on jobs/a"),
        ] {
            let error = if written { classify_write("jobs/a", failed(kind)) } else { classify("jobs/a", failed(kind)) };
            let error = StageError::from(error);
            assert!(error.message.contains(message), "{error}");
            assert_eq!((error.kind, error.retry_after.is_some()), (FailureKind::Transient, waits), "{kind}");
        }
        assert!(matches!(classify("jobs/a", failed(InvalidFilename)), StoreError::NotFound { .. }));
    }
}
