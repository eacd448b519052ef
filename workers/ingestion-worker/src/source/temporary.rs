//! Copies of sources that are not on a local disk.

use bytes::Bytes;
use engine::{error::StageError, hash::hexadecimal};
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::{AsyncSeekExt, AsyncWriteExt, BufWriter};

use super::{LocalSource, SizeLimit};

/// Bytes collected before the disk is asked: each write is a hop to another thread.
const BUFFER: usize = 1 << 20;

/// Copies a stream to a file in the system's temporary folder, hashing it on the way. The file
/// goes when the [`LocalSource`] does.
pub(super) async fn copy(
    mut pieces: impl Stream<Item = Result<Bytes, StageError>> + Unpin,
    name: &str,
    limit: SizeLimit,
) -> Result<LocalSource, StageError> {
    let failed = |error| write_failed(name, &error);
    let (file, path) = NamedTempFile::with_prefix("longhand-").map_err(failed)?.into_parts();
    let mut writer = BufWriter::with_capacity(BUFFER, tokio::fs::File::from_std(file));
    let mut hasher = Sha256::new();
    let mut length = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        length += piece.len() as u64;
        limit.check(name, length)?;
        hasher.update(&piece);
        writer.write_all(&piece).await.map_err(failed)?;
    }
    writer.flush().await.map_err(failed)?;
    let mut file = writer.into_inner();
    file.rewind().await.map_err(failed)?;
    let file = file.into_std().await;
    Ok(LocalSource { file, name: name.to_owned(), sha256: hexadecimal(&hasher.finalize()), temporary: Some(path) })
}

fn write_failed(name: &str, error: &std::io::Error) -> StageError {
    let folder = std::env::temp_dir();
    let folder = folder.display();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StageError::setup(format!(
            "the temporary folder {folder} has no space left for {name}: free some, or point TMPDIR elsewhere, then submit the job again"
        )),
        _ => StageError::transient(format!("{name} could not be copied to the temporary folder {folder}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use engine::error::FailureKind::{Setup, Transient};

    #[test]
    fn a_full_temporary_folder_is_for_a_person_to_put_right() {
        let folder = std::env::temp_dir();
        let folder = folder.display();
        for (kind, expected, message) in [
            (
                std::io::ErrorKind::StorageFull,
                Setup,
                format!(
                    "the temporary folder {folder} has no space left for talk.mp3: free some, or point TMPDIR elsewhere, then submit the job again"
                ),
            ),
            (
                std::io::ErrorKind::TimedOut,
                Transient,
                format!("talk.mp3 could not be copied to the temporary folder {folder}: timed out"),
            ),
        ] {
            let failure = super::write_failed("talk.mp3", &kind.into());
            assert_eq!((failure.kind, failure.message), (expected, message));
        }
    }
}
