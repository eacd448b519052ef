//! Hashes of files, and how hashes are written: in the keys of the store, in ids, and wherever one is shown.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

/// Two hexadecimal digits in lower case for each byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a file's bytes, hexadecimal. Reads all of it, so callers run it on threads of their own.
///
/// # Errors
/// The file cannot be read.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    const BLOCK: usize = 1 << 20;
    let mut file = File::open(path)?;
    let mut block = vec![0; BLOCK];
    let mut hash = Sha256::new();
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            length => hash.update(&block[..length]),
        }
    }
}
