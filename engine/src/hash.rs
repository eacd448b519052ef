//! How hashes are written: in the keys of the store, in ids, and wherever one is shown.

/// Two hexadecimal digits in lower case for each byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
