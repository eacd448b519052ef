//! A memory of SHA-256 for files that seldom change.

use std::{
    fs::{self, Metadata},
    io,
    path::Path,
    time::UNIX_EPOCH,
};

use engine::hash::{hexadecimal, sha256_of};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// As [`sha256_of`], computed again only when the file's size or time of change is another one than before.
pub(super) fn remembered_sha256_of(path: &Path, cache: &Path) -> io::Result<String> {
    let path = path.canonicalize()?;
    let stamp = Stamp::of(&path.metadata()?)?;
    let memory = cache.join("digests").join(hexadecimal(&Sha256::digest(path.as_os_str().as_encoded_bytes())));
    if let Some(remembered) = read_memory(&memory)
        && remembered.stamp == stamp
    {
        return Ok(remembered.sha256);
    }
    let sha256 = sha256_of(&path)?;
    let json = serde_json::to_vec(&Remembered { stamp, sha256: sha256.clone() })?;
    // Only time is lost where the cache cannot be written, so the digest is given all the same.
    if let Err(error) = write_memory(&memory, &json) {
        tracing::debug!(file = %path.display(), %error, "the digest could not be remembered");
    }
    Ok(sha256)
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    stamp: Stamp,
    sha256: String,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    /// Nanoseconds since 1970.
    modified: u128,
}

impl Stamp {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Ok(Self { size: metadata.len(), modified })
    }
}

/// A memory that is missing or damaged is as good as none.
fn read_memory(memory: &Path) -> Option<Remembered> {
    serde_json::from_slice(&fs::read(memory).ok()?).ok()
}

fn write_memory(memory: &Path, json: &[u8]) -> io::Result<()> {
    if let Some(folder) = memory.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = memory.with_added_extension(std::process::id().to_string());
    fs::write(&unfinished, json)?;
    fs::rename(unfinished, memory)
}

#[cfg(test)]
mod tests {
    use super::{read_memory, remembered_sha256_of};

    #[test]
    fn a_digest_is_remembered_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        let file = folder.path().join("model.bin");
        std::fs::write(&file, "abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(remembered_sha256_of(&file, &cache).unwrap(), abc);

        let memory = std::fs::read_dir(cache.join("digests")).unwrap().next().unwrap().unwrap().path();
        let mut remembered = read_memory(&memory).unwrap();
        remembered.sha256 = "from memory".to_owned();
        std::fs::write(&memory, serde_json::to_vec(&remembered).unwrap()).unwrap();
        assert_eq!(remembered_sha256_of(&file, &cache).unwrap(), "from memory");

        std::fs::write(&file, "abcd").unwrap();
        let changed = remembered_sha256_of(&file, &cache).unwrap();
        assert!(changed.starts_with("88d4266f"), "{changed}");
    }
}
