//! Which recordings a batch is made of.

use std::{collections::HashSet, fs, path::Path};

use anyhow::{Context, bail, ensure};
use walkdir::WalkDir;

use crate::{input::Input, terminal::note};

/// What a file has to end with to be taken from a folder.
const EXTENSIONS: [&str; 14] =
    ["aac", "flac", "m4a", "m4b", "mka", "mkv", "mov", "mp3", "mp4", "oga", "ogg", "opus", "wav", "webm"];

pub(super) struct Recording {
    /// Its path below the folder, or its line of the list.
    pub(super) name: String,
    pub(super) input: Input,
}

/// The recordings of a folder in the order of their paths, or of a list in its own order.
///
/// # Errors
/// Nothing to be found, or all that is wrong with what was found, at once.
pub(super) fn find(source: &Path) -> anyhow::Result<Vec<Recording>> {
    let metadata = fs::metadata(source).with_context(|| format!("cannot read {}; check the path", source.display()))?;
    let named = if metadata.is_dir() { of_folder(source)? } else { of_list(source)? };
    let (good, bad): (Vec<_>, Vec<_>) = named.into_iter().map(recording).partition(Result::is_ok);
    let faults: Vec<String> = bad.into_iter().filter_map(Result::err).map(|error| format!("\n  {error:#}")).collect();
    if !faults.is_empty() {
        bail!("nothing is started, for of the recordings in {}{}", source.display(), faults.concat());
    }
    ensure!(
        !good.is_empty(),
        "there are no recordings in {}; audio files end with {}",
        source.display(),
        EXTENSIONS.join(", ")
    );
    Ok(good.into_iter().flatten().collect())
}

fn recording((name, typed): (String, String)) -> anyhow::Result<Recording> {
    Ok(Recording { name, input: Input::parse(&typed)? })
}

/// Names and paths.
fn of_folder(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot search {}", folder.display()))?;
        let extension = entry.path().extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        if entry.file_type().is_file() && extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str())) {
            let name = entry.path().strip_prefix(folder)?;
            found.push((utf8(name)?, utf8(entry.path())?));
        }
    }
    Ok(found)
}

/// Lines as they are, and where they lead: paths are relative to the list's own folder.
/// Empty lines and those that begin with # are passed over, repetitions taken once.
fn of_list(list: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = fs::read_to_string(list).with_context(|| format!("cannot read the list {}", list.display()))?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if !seen.insert(line) {
            note(&format!("{line} is listed more than once, and transcribed once"));
        } else if line.contains("://") {
            found.push((line.to_owned(), line.to_owned()));
        } else {
            found.push((line.to_owned(), utf8(&folder.join(line))?));
        }
    }
    Ok(found)
}

fn utf8(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().with_context(|| format!("the name {} is not UTF-8; rename it", path.display()))?;
    Ok(text.to_owned())
}
