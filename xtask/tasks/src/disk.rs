//! Room on the disk.

use std::path::Path;

/// What programs may still write below the folder; none where the system does not tell.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let stats = rustix::fs::statvfs(folder).ok()?;
    Some(stats.f_bavail * stats.f_frsize)
}
