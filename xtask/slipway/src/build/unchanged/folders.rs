//! What the engine was told of a folder, and whether the folder still is so. As in git's index, a file whose
//! stamp is the same is not read again, and a stamp that is too young to be trusted is not kept.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    buildkit::{Entry, Listing, Selection, Stamp, walk},
    hash::hexadecimal,
};

/// Two changes within this time may leave the same stamp.
const TICK: Duration = Duration::from_millis(50);
/// The same on file systems that count in seconds.
const COARSE_TICK: Duration = Duration::from_secs(2);
const CHUNK: usize = 256 << 10;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KnownFolder {
    root: PathBuf,
    selection: Selection,
    entries: Vec<KnownEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KnownEntry {
    entry: Entry,
    /// Of a plain file's content; empty for all else.
    sha256: String,
}

impl KnownFolder {
    /// What differs in the folder now; none where nothing does. Stamps of files that were only touched are
    /// brought up to date.
    pub(super) fn difference(&mut self) -> io::Result<Option<String>> {
        let now = SystemTime::now();
        let mut found = Vec::with_capacity(self.entries.len());
        walk(&self.root, &self.selection, &mut |entry| {
            found.push(entry);
            Ok(())
        })?;
        let mut found = found.into_iter();
        for known in &mut self.entries {
            let place = |path: &str| format!("{} is", self.root.join(path).display());
            match found.next() {
                Some(entry) if entry.path == known.entry.path => {
                    if !known.is_still(&entry, &self.root, now)? {
                        return Ok(Some(format!("{} another one", place(&entry.path))));
                    }
                }
                Some(entry) if entry.path < known.entry.path => {
                    return Ok(Some(format!("{} new", place(&entry.path))));
                }
                _ => return Ok(Some(format!("{} gone", place(&known.entry.path)))),
            }
        }
        Ok(found.next().map(|entry| format!("{} is new", self.root.join(entry.path).display())))
    }
}

impl KnownEntry {
    fn is_still(&mut self, now: &Entry, root: &Path, at: SystemTime) -> io::Result<bool> {
        let same = |known: &Entry| (known.mode, known.size, &known.link) == (now.mode, now.size, &now.link);
        if !same(&self.entry) {
            return Ok(false);
        }
        if !now.is_file() || now.stamp == self.entry.stamp {
            return Ok(true);
        }
        let is_same = sha256(&root.join(&now.path))? == self.sha256;
        if is_same && is_settled(now.stamp, at) {
            self.entry.stamp = now.stamp;
        }
        Ok(is_same)
    }
}

/// Hashes what listings tell of, each file once.
pub(super) struct Snapshots {
    hashes: Mutex<BTreeMap<PathBuf, (Stamp, String)>>,
}

impl Snapshots {
    pub(super) fn new(known: &BTreeMap<String, KnownFolder>) -> Snapshots {
        let mut hashes = BTreeMap::new();
        for folder in known.values() {
            for known in folder.entries.iter().filter(|known| known.entry.is_file()) {
                let path = folder.root.join(&known.entry.path);
                hashes.insert(path, (known.entry.stamp, known.sha256.clone()));
            }
        }
        Snapshots { hashes: Mutex::new(hashes) }
    }

    /// The listings with the content that the engine saw; or which file cannot be vouched for, because it
    /// changed after it was listed.
    pub(super) fn take(&self, listings: &[Arc<Listing>]) -> Result<Vec<(String, KnownFolder)>, String> {
        listings.iter().map(|listing| self.take_one(listing)).collect()
    }

    fn take_one(&self, listing: &Listing) -> Result<(String, KnownFolder), String> {
        let known = |entry: &Entry| self.known(listing, entry);
        let entries = listing.entries.iter().map(known).collect::<Result<Vec<_>, String>>()?;
        let folder = KnownFolder { root: listing.root.clone(), selection: listing.selection.clone(), entries };
        let text = serde_json::to_vec(&folder).map_err(|error| error.to_string())?;
        Ok((hexadecimal(&Sha256::digest(text)), folder))
    }

    /// Its content is read first and its stamp then, so that a change in between does not go unseen.
    fn known(&self, listing: &Listing, listed: &Entry) -> Result<KnownEntry, String> {
        let path = listing.root.join(&listed.path);
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let moved = || format!("{} changed during the last build", path.display());
        if !listed.is_file() {
            return Ok(KnownEntry { entry: listed.clone(), sha256: String::new() });
        }
        let sha256 = self.hash(&path, listed.stamp).map_err(failed)?;
        let now = Entry::read(&listing.root, &listed.path).map_err(failed)?;
        if now.is_none_or(|now| now.stamp != listed.stamp) || !is_settled(listed.stamp, listing.at) {
            return Err(moved());
        }
        Ok(KnownEntry { entry: listed.clone(), sha256 })
    }

    fn hash(&self, path: &Path, stamp: Stamp) -> io::Result<String> {
        let hashes = || self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hashes().get(path).filter(|(known, _)| *known == stamp).map(|(_, hash)| hash.clone());
        if let Some(hash) = known {
            return Ok(hash);
        }
        let hash = sha256(path)?;
        hashes().insert(path.to_owned(), (stamp, hash.clone()));
        Ok(hash)
    }
}

/// Whether a change after `at` would have left another stamp.
fn is_settled(stamp: Stamp, at: SystemTime) -> bool {
    let tick = if stamp.changed % 1_000_000_000 == 0 { COARSE_TICK } else { TICK };
    let changed = u64::try_from(stamp.changed).map(Duration::from_nanos).unwrap_or_default();
    SystemTime::UNIX_EPOCH + changed + tick < at
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hexadecimal(&hasher.finalize())),
            read => hasher.update(&chunk[..read]),
        }
    }
}
