//! API keys: a file of names and hashes, so that whoever reads the file has no key.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// The keys that are let in.
pub(crate) struct ApiKeys {
    keys: Vec<ApiKey>,
}

struct ApiKey {
    name: String,
    sha256: [u8; 32],
}

/// What is wrong with the file of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the API keys in {file} cannot be read: {reason}; LONGHAND_API_KEYS names the file")]
    Unreadable { file: String, reason: String },
    #[error(
        "line {line} of the API keys in {file} is not `NAME SHA256`: the hash of a key is 64 hexadecimal digits, \
         as `printf %s KEY | sha256sum` prints them"
    )]
    Line { file: String, line: usize },
    #[error("the API keys in {file} have the name {name} twice; give each key a name of its own")]
    Duplicate { file: String, name: String },
    #[error("the file {file} has no API keys; add a line `NAME SHA256` for each")]
    Empty { file: String },
}

impl ApiKeys {
    pub(crate) fn read(file: &Path) -> Result<Self, KeysError> {
        let shown = file.display().to_string();
        let text = fs::read_to_string(file)
            .map_err(|error| KeysError::Unreadable { file: shown.clone(), reason: error.to_string() })?;
        Self::parse(&text, shown)
    }

    /// Empty lines and those that begin with # are skipped.
    fn parse(text: &str, file: String) -> Result<Self, KeysError> {
        let mut keys: Vec<ApiKey> = Vec::new();
        for (position, line) in text.lines().enumerate().map(|(position, line)| (position, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some(key) = ApiKey::parse(line) else { return Err(KeysError::Line { file, line: position + 1 }) };
            if keys.iter().any(|known| known.name == key.name) {
                return Err(KeysError::Duplicate { file, name: key.name });
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeysError::Empty { file }) } else { Ok(Self { keys }) }
    }

    /// The name of the presented key. All keys are compared, whichever fits, so that the time tells nothing.
    pub(crate) fn name_of(&self, presented: &str) -> Option<&str> {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        let mut found = u64::MAX;
        for (position, key) in (0..).zip(&self.keys) {
            found.conditional_assign(&position, key.sha256.ct_eq(&presented));
        }
        let key = self.keys.get(usize::try_from(found).ok()?)?;
        Some(&key.name)
    }
}

impl ApiKey {
    fn parse(line: &str) -> Option<Self> {
        let (name, hash) = line.split_once(char::is_whitespace)?;
        let hash = hash.trim();
        if hash.len() != 64 || !hash.is_ascii() {
            return None;
        }
        let mut sha256 = [0; 32];
        for (byte, position) in sha256.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&hash[position..position + 2], 16).ok()?;
        }
        Some(Self { name: name.to_owned(), sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::ApiKeys;

    const ANNA: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"; // secret
    const BERT: &str = "5E884898DA28047151D0E56F8DC6292773603D0D6AABBDD62A11EF721D1542D8"; // password

    #[test]
    fn a_key_is_known_by_its_hash() {
        let text = format!("# who may\n\nanna {ANNA}\n  bert\t{BERT}  \n");
        let keys = ApiKeys::parse(&text, "keys".to_owned()).unwrap();
        for (presented, name) in
            [("secret", Some("anna")), ("password", Some("bert")), ("", None), ("Secret", None), (ANNA, None)]
        {
            assert_eq!(keys.name_of(presented), name, "{presented}");
        }
    }

    #[test]
    fn a_file_that_is_malformed_is_refused() {
        for (text, complaint) in [
            (String::new(), "the file keys has no API keys"),
            (format!("anna {ANNA}\nbert"), "line 2 of the API keys in keys"),
            (format!("anna {}", &ANNA[1..]), "line 1 of"),
            (format!("anna {}x", &ANNA[1..]), "line 1 of"),
            (format!("anna {ANNA} x"), "line 1 of"),
            (format!("anna {ANNA}\nanna {BERT}"), "the name anna twice"),
        ] {
            let error = ApiKeys::parse(&text, "keys".to_owned()).err().unwrap().to_string();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
