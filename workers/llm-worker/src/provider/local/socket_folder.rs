//! Where a server's socket is: a folder that only this user may look into.

use std::{
    env, fs, io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

const PREFIX: &str = "longhand-llm-";
const SOCKET: &str = "llama.sock";

/// The kernel takes no longer paths of sockets, in bytes.
const LONGEST_PATH: usize = 107;

/// A folder with room for a socket; it is removed when this is dropped.
pub(super) struct SocketFolder {
    socket: PathBuf,
    _folder: TempDir,
}

impl SocketFolder {
    /// # Errors
    /// In words: no folder for temporary files, or one with too long a path.
    pub(super) fn new() -> Result<Self, String> {
        let temporary = env::temp_dir();
        let unusable = |reason: String| format!("{} has no room for its socket: {reason}", temporary.display());
        remove_abandoned(&temporary).map_err(|error| unusable(error.to_string()))?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&temporary);
        let folder = folder.map_err(|error| unusable(error.to_string()))?;
        let socket = folder.path().join(SOCKET);
        if socket.as_os_str().len() > LONGEST_PATH {
            return Err(unusable("its path is too long, set TMPDIR to a shorter one".to_owned()));
        }
        Ok(Self { socket, _folder: folder })
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }
}

/// Workers that were killed leave theirs behind, with a socket that nobody listens on.
fn remove_abandoned(temporary: &Path) -> io::Result<()> {
    for entry in fs::read_dir(temporary)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let is_abandoned = || {
            let refused = UnixStream::connect(entry.path().join(SOCKET)).err();
            refused.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        };
        if is_ours && is_abandoned() {
            // Another worker may do the same, or the folder may be another user's.
            if let Err(error) = fs::remove_dir_all(entry.path()) {
                tracing::debug!(%error, folder = %entry.path().display(), "an abandoned folder stays");
            }
        }
    }
    Ok(())
}
