//! Whisper's weights as files: looked at, brought from CTranslate2's format to whisper.cpp's, and from 16 bits to 8.
//!
//! Both ways are streams from file to file, give the same bytes on every machine, and leave
//! nothing behind when they fail. Nothing here computes with the weights: that is the recogniser's.

use std::{
    fs::Permissions,
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

mod convert;
mod ctranslate2;
mod file;
mod inspect;
mod mel;
mod names;
mod quantise;
mod vocabulary;

pub use convert::convert_ctranslate2;
pub use inspect::{Shape, inspect};
pub use mel::{BINS, mel_filters};
pub use quantise::quantise_q8_0;
pub use vocabulary::Vocabulary;

/// Why weights could not be converted.
#[derive(Debug, thiserror::Error)]
pub enum GgmlError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// The file is damaged, or not of the kind that is converted.
    #[error("{path} cannot be converted: {reason}")]
    Format { path: PathBuf, reason: String },
}

impl GgmlError {
    /// For what goes wrong while a file is read: bad content comes as invalid data or an early end.
    fn reading(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::InvalidData => Self::Format { path: path.to_owned(), reason: source.to_string() },
            io::ErrorKind::UnexpectedEof => Self::Format {
                path: path.to_owned(),
                reason: "it ends in the middle, so remove it and fetch it again".to_owned(),
            },
            _ => Self::Read { path: path.to_owned(), source },
        }
    }

    fn writing(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }

    /// For steps that read one file and write the other: only a lack of space is the latter's fault.
    fn copying(from: &Path, to: &Path) -> impl Fn(io::Error) -> Self {
        let (reading, writing) = (Self::reading(from), Self::writing(to));
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => writing(source),
            _ => reading(source),
        }
    }
}

/// An error about a file's content.
fn invalid(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}

/// A file that takes its name only when it is complete.
struct Output {
    writer: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Output {
    fn create(path: &Path) -> Result<Self, GgmlError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder);
        let file = file.map_err(GgmlError::writing(path))?;
        Ok(Self { writer: BufWriter::with_capacity(1 << 20, file), path: path.to_owned() })
    }

    fn publish(self) -> Result<(), GgmlError> {
        let failed = GgmlError::writing(&self.path);
        let file = self.writer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(&failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests;
