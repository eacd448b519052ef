//! The timings of the last builds of all projects, kept in the user's cache folder under numbers that count up.

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{document::document, record::BuildRecord, stored::StoredBuild};
use crate::{cache_folder::cache_folder, name::Name};

const MOST_BUILDS: usize = 100;
/// Builds that end at the same time race for a number this often.
const MOST_ATTEMPTS: u32 = 100;

/// Keeps a build, and forgets the oldest ones.
pub(crate) fn keep(record: &BuildRecord) -> Result<()> {
    let folder = folder()?;
    let failed = || format!("{} cannot be written", folder.display());
    std::fs::create_dir_all(&folder).with_context(failed)?;
    let text = serde_json::to_vec(&document(record))?;
    for _ in 0..MOST_ATTEMPTS {
        let numbers = numbers(&folder)?;
        let next = numbers.last().map_or(1, |last| last + 1);
        let mut file = tempfile::NamedTempFile::new_in(&folder).with_context(failed)?;
        file.write_all(&text).with_context(failed)?;
        match file.persist_noclobber(path(&folder, next)) {
            Ok(_) => return forget(&folder, &numbers[..(numbers.len() + 1).saturating_sub(MOST_BUILDS)]),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(failed),
        }
    }
    bail!("{} is being written by too many builds at once", folder.display())
}

/// The builds that are kept, the last one first.
pub(crate) fn list() -> Result<Vec<(u64, StoredBuild)>> {
    let folder = folder()?;
    let mut builds = Vec::new();
    for number in numbers(&folder)?.into_iter().rev() {
        builds.push((number, StoredBuild::read(&path(&folder, number))?));
    }
    Ok(builds)
}

/// A build by its number, or by the path of a `build.json` or of the folder that holds one.
pub(crate) fn find(name: &str) -> Result<StoredBuild> {
    let Ok(number) = name.parse() else {
        let path = Path::new(name);
        return StoredBuild::read(&if path.is_dir() { path.join("build.json") } else { path.to_owned() });
    };
    let path = path(&folder()?, number);
    if !path.exists() {
        bail!("no build {name} is kept; `{} build history` lists those that are", Name::typed());
    }
    StoredBuild::read(&path)
}

fn folder() -> Result<PathBuf> {
    Ok(cache_folder()?.join("builds"))
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number}.json"))
}

fn numbers(folder: &Path) -> Result<Vec<u64>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", folder.display())),
    };
    let number = |name: &str| name.strip_suffix(".json")?.parse().ok();
    let mut numbers: Vec<u64> =
        entries.flatten().filter_map(|entry| number(&entry.file_name().to_string_lossy())).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Another build may have removed them already.
fn forget(folder: &Path, numbers: &[u64]) -> Result<()> {
    for number in numbers {
        match std::fs::remove_file(path(folder, *number)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} cannot be cleared", folder.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
