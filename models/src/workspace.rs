//! Where an asset lies while it is incomplete: a folder of its own, held by one process at a time.

use std::{
    fs::{File, TryLockError},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::event::{Events, FetchError, FetchEvent};

/// Before a lock that another process holds is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(200);

/// The folder for one asset's unfinished files. What is left of an interrupted fetch is still there the next time.
pub(super) struct Workspace {
    folder: PathBuf,
    lock: File,
}

impl Workspace {
    /// Waits until no other process works on the file, then holds it until dropped.
    pub(super) async fn lock(cache: &Path, file: &Path, events: Events<'_>) -> Result<Self, FetchError> {
        let partial = cache.join("partial");
        let folder = partial.join(file.file_name().unwrap_or(file.as_os_str()));
        let failed = |error| FetchError::cache(&folder, error);
        std::fs::create_dir_all(&partial).map_err(failed)?;
        let lock = hold(&folder.with_added_extension("lock"), events).await.map_err(failed)?;
        // Only now, for whoever held the lock before removed the folder when it was done.
        std::fs::create_dir_all(&folder).map_err(failed)?;
        Ok(Self { folder, lock })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes what is no longer needed and lets the next process in.
    pub(super) fn finish(self) -> io::Result<()> {
        std::fs::remove_dir_all(&self.folder)?;
        self.lock.unlock()
    }
}

/// Asks again and again: a thread that waited for the lock could not be told to stop.
async fn hold(lock_file: &Path, events: Events<'_>) -> io::Result<File> {
    let lock = File::options().create(true).truncate(false).write(true).open(lock_file)?;
    let mut is_told = false;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if is_told => {}
            Err(TryLockError::WouldBlock) => events(FetchEvent::Waiting),
        }
        is_told = true;
        tokio::time::sleep(LOCK_PAUSE).await;
    }
}

/// Makes a verified file visible at its place, in one step.
pub(super) fn publish(file: &Path, target: &Path, executable: bool) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if executable {
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))?;
    }
    File::open(file)?.sync_all()?;
    std::fs::rename(file, target)
}
