//! Room on the disk.

use std::path::Path;

/// What programs may still write below the folder; none where the system does not tell.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(folder).ok()?;
    Some(told.f_bavail * told.f_frsize)
}
