//! Files on the ingestion worker's own disks.

use std::{
    fs::File,
    io::{ErrorKind, Read, Seek},
};

use engine::{error::StageError, hash::hexadecimal};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{LocalSource, SizeLimit};

/// Bytes hashed between two checks of the cancellation: a few milliseconds of work.
const PIECE: usize = 1 << 20;

/// Opens and hashes a file, which stays where it is.
pub(super) async fn open(
    path: &str,
    limit: SizeLimit,
    cancelled: CancellationToken,
) -> Result<LocalSource, StageError> {
    let name = path.to_owned();
    let file = blocking(path, move || open_blocking(&name, limit)).await?;
    hashed(file, path.to_owned(), cancelled).await
}

/// A file with the hash of its bytes.
pub(super) async fn hashed(
    mut file: File,
    name: String,
    cancelled: CancellationToken,
) -> Result<LocalSource, StageError> {
    let shown = name.clone();
    blocking(&shown, move || {
        let sha256 = hash(&mut file, &name, &cancelled)?;
        Ok(LocalSource { file, name, sha256, temporary: None })
    })
    .await
}

async fn blocking<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, StageError> + Send + 'static,
) -> Result<T, StageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|failure| StageError::transient(format!("reading {name} was given up: {failure}")))?
}

fn open_blocking(path: &str, limit: SizeLimit) -> Result<File, StageError> {
    // Asked before opening, since opening a pipe waits for its other end.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        return Err(StageError::bad_input(format!(
            "{path} is a directory, not a recording; name a file in it, or submit all of them as a batch"
        )));
    }
    if !metadata.is_file() {
        return Err(StageError::bad_input(format!("{path} is no regular file; copy the recording to one")));
    }
    limit.check(path, metadata.len())?;
    File::open(path).map_err(|error| unreadable(path, &error))
}

/// Reads the file to its end and goes back to its beginning.
fn hash(file: &mut File, path: &str, cancelled: &CancellationToken) -> Result<String, StageError> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        if cancelled.is_cancelled() {
            return Err(StageError::cancelled());
        }
        match file.read(&mut piece).map_err(|error| unreadable(path, &error))? {
            0 => break,
            length => hasher.update(&piece[..length]),
        }
    }
    file.rewind().map_err(|error| unreadable(path, &error))?;
    Ok(hexadecimal(&hasher.finalize()))
}

pub(super) fn unreadable(path: &str, error: &std::io::Error) -> StageError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StageError::bad_input(format!(
            "{path} does not exist on the ingestion worker; check the path, or upload the file"
        )),
        ErrorKind::PermissionDenied => StageError::bad_input(format!(
            "{path} may not be read by the ingestion worker; allow its user to read it, or upload the file"
        )),
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename => {
            StageError::bad_input(format!("{path} is no valid path: {error}; check the path"))
        }
        _ => StageError::transient(format!("{path} could not be read: {error}; check the disk")),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use engine::error::FailureKind::{BadInput, Transient};

    #[test]
    fn trouble_with_a_file_is_told_apart() {
        // Tests may run as root, who may read everything: the errors are made, not provoked.
        for (error, kind, message) in [
            (
                io::Error::from(io::ErrorKind::PermissionDenied),
                BadInput,
                "talk.mp3 may not be read by the ingestion worker; allow its user to read it, or upload the file",
            ),
            (
                io::Error::other("input/output error"),
                Transient,
                "talk.mp3 could not be read: input/output error; check the disk",
            ),
        ] {
            let failure = super::unreadable("talk.mp3", &error);
            assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
        }
    }
}
