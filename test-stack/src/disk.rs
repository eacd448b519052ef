//! A disk that is soon full, for the tests of what is said then.

use std::{path::Path, process::Command};

use tempfile::TempDir;

/// A file system of a given size. Mounting needs root, as the build machine has it.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// `size` is that of `mount`, such as `64k`.
    pub fn mount(size: &str) -> Self {
        let disk = Self { folder: TempDir::new().unwrap() };
        disk.run(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        disk
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether anything can be written to it.
    pub fn set_writable(&self, writable: bool) {
        self.run(&["-o", if writable { "remount,rw" } else { "remount,ro" }]);
    }

    fn run(&self, arguments: &[&str]) {
        let mounted = Command::new("mount").args(arguments).arg(self.path()).status().unwrap();
        assert!(mounted.success(), "this test mounts a small file system and has to be run as root");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let done = Command::new("umount").arg("--lazy").arg(self.path()).status();
        assert!(done.is_ok_and(|status| status.success()), "{} stays mounted", self.path().display());
    }
}
