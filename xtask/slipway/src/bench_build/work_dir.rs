//! The folder in which a bench works, one on a machine at a time: two would measure each other.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tasks::{Halt, free_bytes, output::say};

/// Bytes: some builds of a large project, each of which compiles everything.
const LEAST_ROOM: u64 = 20_000_000_000;

pub(super) struct WorkDir {
    folder: PathBuf,
    /// Locked as long as this process lives.
    _lock: File,
}

impl WorkDir {
    /// Takes the folder, and clears away what a bench that was killed left in it.
    pub(super) fn take() -> Result<WorkDir> {
        // The usual folder for temporary files may lie in memory, and images are large.
        let parent = std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from);
        let parent = parent.canonicalize().with_context(|| format!("there is no folder {}", parent.display()))?;
        let folder = parent.join("slipway-bench");
        let lock_file = parent.join("slipway-bench.lock");
        let lock = File::options().create(true).append(true).open(&lock_file);
        let lock = lock.with_context(|| format!("{} cannot be opened", lock_file.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "another bench-build runs on this machine, and each would measure the other: wait for it";
                return Err(Halt::ActionRequired(message.to_owned()).into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", lock_file.display()));
            }
        }
        remove(&folder);
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(WorkDir { folder, _lock: lock })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether a few more builds could fill the disk.
    pub(super) fn is_short_of_room(&self) -> bool {
        free_bytes(&self.folder).is_none_or(|free| free < LEAST_ROOM)
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// Removes a folder, with whatever an engine that was killed has left running on it or mounted in it.
pub(super) fn remove(folder: &Path) {
    for process in processes_rooted_in(folder) {
        // One that has ended meanwhile is as good.
        kill_process(process, Signal::KILL).ok();
    }
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

/// The steps of builds: their root is an overlay of folders in this one.
fn processes_rooted_in(folder: &Path) -> Vec<Pid> {
    let is_rooted = |mountinfo: &str| {
        let root = mountinfo.lines().find(|line| line.split(' ').nth(4) == Some("/"));
        root.is_some_and(|line| line.contains(&format!("dir={}/", folder.display())))
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let rooted = processes.filter(|process| {
        fs::read_to_string(process.path().join("mountinfo")).is_ok_and(|mountinfo| is_rooted(&mountinfo))
    });
    rooted.filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?)).collect()
}

/// The deepest first.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let environments = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    let mut below: Vec<PathBuf> = environments.filter(|place| place.starts_with(folder)).collect();
    below.sort_by_key(|place| std::cmp::Reverse(place.as_os_str().len()));
    below
}
