//! Which recordings a batch is made of.

use std::{collections::HashSet, fs, path::Path};

use anyhow::{Context, bail, ensure};
use walkdir::WalkDir;

use crate::{exit::explain, input::Input, terminal::note};

/// What a file has to end with to be taken from a folder.
const EXTENSIONS: [&str; 14] =
    ["aac", "flac", "m4a", "m4b", "mka", "mkv", "mov", "mp3", "mp4", "oga", "ogg", "opus", "wav", "webm"];

pub(super) struct Recording {
    /// Its path below the folder, or its line of the list.
    pub(super) name: String,
    pub(super) input: Input,
}

/// What cannot be a part of the batch: one broken recording is no reason to leave the others alone.
pub(crate) struct Broken {
    pub(super) name: String,
    pub(super) reason: String,
}

impl Broken {
    pub(super) fn new(name: &str, error: &anyhow::Error) -> Self {
        Self { name: name.to_owned(), reason: explain(error) }
    }
}

/// The recordings of a folder in the order of their paths, or of a list in its own order, and those that are broken.
///
/// # Errors
/// Nothing to be found, or nothing but what is broken.
pub(super) fn find(source: &Path) -> anyhow::Result<(Vec<Recording>, Vec<Broken>)> {
    let metadata = fs::metadata(source).with_context(|| format!("cannot read {}; check the path", source.display()))?;
    let named = if metadata.is_dir() { of_folder(source)? } else { of_list(source)? };
    let (mut good, mut broken) = (Vec::new(), Vec::new());
    for (name, typed) in named {
        match Input::parse(&typed) {
            Ok(input) => good.push(Recording { name, input }),
            Err(error) => broken.push(Broken::new(&name, &error)),
        }
    }
    if good.is_empty() && !broken.is_empty() {
        let faults: String = broken.iter().map(|Broken { reason, .. }| format!("\n  {reason}")).collect();
        bail!("nothing is started, for all recordings in {} are broken:{faults}", source.display());
    }
    ensure!(
        !good.is_empty(),
        "there are no recordings in {}; audio files end with {}",
        source.display(),
        EXTENSIONS.join(", ")
    );
    Ok((good, broken))
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

/// Lines as they are, or the names that they give after a tab, and where they lead: paths are relative to the list's own
/// folder.
/// Empty lines and those that begin with # are passed over, repetitions taken once.
fn of_list(list: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = fs::read_to_string(list).with_context(|| format!("cannot read the list {}", list.display()))?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (place, name) = line.split_once('\t').map_or((line, line), |(place, name)| (place.trim(), name.trim()));
        if !seen.insert(place) {
            note(&format!("{place} is listed more than once, and transcribed once"));
        } else if place.contains("://") {
            found.push((name.to_owned(), place.to_owned()));
        } else {
            found.push((name.to_owned(), utf8(&folder.join(place))?));
        }
    }
    Ok(found)
}

fn utf8(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().with_context(|| format!("the name {} is not UTF-8; rename it", path.display()))?;
    Ok(text.to_owned())
}
