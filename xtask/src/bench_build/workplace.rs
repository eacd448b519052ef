//! The folder in which a bench works, one on a machine at a time: two would measure each other.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::halt::Halt;
use crate::output::say;

pub(super) struct Workplace {
    folder: PathBuf,
    /// Locked as long as this process lives.
    _lock: File,
}

impl Workplace {
    /// Takes the folder, and clears away what a bench that was killed left in it.
    pub(super) fn take() -> Result<Workplace> {
        // The usual folder for temporary files may lie in memory, and images are large.
        let parent = std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from);
        let parent = parent.canonicalize().with_context(|| format!("there is no folder {}", parent.display()))?;
        let folder = parent.join("longhand-bench");
        let lock_file = parent.join("longhand-bench.lock");
        let lock = File::options().create(true).append(true).open(&lock_file);
        let lock = lock.with_context(|| format!("{} cannot be opened", lock_file.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "another bench-build runs on this machine, and each would measure the other: wait for it";
                return Err(Halt::YourTurn(message.to_owned()).into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", lock_file.display()));
            }
        }
        remove(&folder);
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(Workplace { folder, _lock: lock })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// Removes a folder with whatever an engine that was killed has left mounted in it.
pub(super) fn remove(folder: &Path) {
    for mount in mounts_below(folder) {
        // What cannot be unmounted makes the removal fail, and that is told.
        Command::new("umount").arg("--lazy").arg(&mount).status().ok();
    }
    if folder.exists()
        && let Err(error) = fs::remove_dir_all(folder)
    {
        say(format_args!("warning: {} cannot be removed: {error}", folder.display()));
    }
}

/// The deepest first.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    let mut below: Vec<PathBuf> = places.filter(|place| place.starts_with(folder)).collect();
    below.sort_by_key(|place| std::cmp::Reverse(place.as_os_str().len()));
    below
}
