//! The entries of a folder, as the protocol describes them.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::Path,
};

use serde::{Deserialize, Serialize};

/// What the engine is told of a file, a folder or a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// From the folder on, with `/`.
    pub(crate) path: String,
    /// The bits of Go's `os.FileMode`.
    pub(crate) mode: u32,
    /// Bytes; zero for what is not a plain file.
    pub(crate) size: u64,
    /// What a symbolic link points to; empty for all else.
    pub(crate) link: String,
    pub(crate) stamp: Stamp,
}

/// What the file system changes with every change of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// Nanoseconds since 1970, as are those of `changed`.
    pub(crate) modified: i64,
    /// No program can set this one.
    pub(crate) changed: i64,
}

impl Entry {
    pub(crate) fn is_file(&self) -> bool {
        self.mode & mode::OTHER_KINDS == 0
    }

    /// The entry as it is now; none where it is gone.
    pub(crate) fn read(root: &Path, path: &str) -> io::Result<Option<Entry>> {
        let full = root.join(path);
        match std::fs::symlink_metadata(&full) {
            Ok(metadata) => Entry::of(path, &full, &metadata).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::other(format!("{}: {error}", full.display()))),
        }
    }

    /// What `metadata` says of the path `full`, which is `path` from the folder on.
    pub(super) fn of(path: &str, full: &Path, metadata: &Metadata) -> io::Result<Entry> {
        let kind = metadata.file_type();
        let nanoseconds = |seconds: i64, rest: i64| seconds * 1_000_000_000 + rest;
        let link =
            if kind.is_symlink() { std::fs::read_link(full)?.to_string_lossy().into_owned() } else { String::new() };
        Ok(Entry {
            path: path.to_owned(),
            mode: go_mode(metadata),
            size: if kind.is_file() { metadata.len() } else { 0 },
            link,
            stamp: Stamp {
                device: metadata.dev(),
                inode: metadata.ino(),
                modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
                changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            },
        })
    }
}

/// The mode bits of Go's `os.FileMode`, which the protocol carries.
mod mode {
    pub(super) const FOLDER: u32 = 1 << 31;
    pub(super) const LINK: u32 = 1 << 27;
    pub(super) const DEVICE: u32 = 1 << 26;
    pub(super) const PIPE: u32 = 1 << 25;
    pub(super) const SET_UID: u32 = 1 << 23;
    pub(super) const SET_GID: u32 = 1 << 22;
    pub(super) const CHARACTER_DEVICE: u32 = 1 << 21;
    pub(super) const STICKY: u32 = 1 << 20;
    /// Whatever is not a plain file.
    pub(super) const OTHER_KINDS: u32 = FOLDER | LINK | DEVICE | PIPE | CHARACTER_DEVICE;
}

fn go_mode(metadata: &Metadata) -> u32 {
    let kind = metadata.file_type();
    let unix = metadata.permissions().mode();
    let mut go = unix & 0o777;
    let bits = [
        (kind.is_dir(), mode::FOLDER),
        (kind.is_symlink(), mode::LINK),
        (kind.is_block_device() || kind.is_char_device(), mode::DEVICE),
        (kind.is_char_device(), mode::CHARACTER_DEVICE),
        (kind.is_fifo(), mode::PIPE),
        (unix & 0o4000 != 0, mode::SET_UID),
        (unix & 0o2000 != 0, mode::SET_GID),
        (unix & 0o1000 != 0, mode::STICKY),
    ];
    for (set, bit) in bits {
        go |= if set { bit } else { 0 };
    }
    go
}
