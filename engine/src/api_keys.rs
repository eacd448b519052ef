//! API keys: a file of names, tenants and hashes, so that whoever reads the file has no key.

mod edit;

use std::{fs, path::Path};

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

pub use edit::{add, revoke};

use crate::ids::{InvalidTenant, Tenant};

/// Stands where a tenant's name would, in the line of a key that opens the jobs of all.
const ADMIN: &str = "*";

/// The keys that are let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeys(Vec<ApiKey>);

/// Who has a key, and what it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub name: String,
    /// Whose jobs it opens; `None` for an admin's, which opens all.
    pub tenant: Option<Tenant>,
    sha256: [u8; 32],
}

/// What is wrong with the file of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the API keys in {file} cannot be read: {reason}; LONGHAND_API_KEYS names the file")]
    Unreadable { file: String, reason: String },
    #[error("the API keys in {file} cannot be written: {reason}")]
    Unwritable { file: String, reason: String },
    #[error("line {line} of the API keys in {file} is not `NAME [TENANT] SHA256`: {wrong}")]
    Line { file: String, line: usize, wrong: BadLine },
    #[error("the API keys in {file} have the name {name} twice; give each key a name of its own")]
    Duplicate { file: String, name: String },
    #[error("{name} and {other} of the API keys in {file} are one key; make another one with `longhand keys add`")]
    SameKey { file: String, name: String, other: String },
    #[error("the file {file} has no API keys; add one with `longhand keys add NAME`")]
    Empty { file: String },
    #[error("the API keys in {file} have no name {name}; `longhand keys list` shows those that there are")]
    NoSuchName { file: String, name: String },
    #[error("{name:?} names no key: {wrong}")]
    BadName { name: String, wrong: BadLine },
}

/// What is wrong with the line of one key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    #[error("it has a name, a tenant where the name is none, and a hash, with spaces between")]
    Words,
    #[error("the hash of a key is 64 hexadecimal digits, as `printf %s KEY | sha256sum` prints them")]
    Hash,
    #[error("{0}; or * for a key that opens the jobs of all")]
    Tenant(#[from] InvalidTenant),
    #[error("the name {0} is no tenant's name, so add one (small letters, digits and dashes), or * for all, after it")]
    NameIsNoTenant(String),
}

impl ApiKeys {
    /// # Errors
    /// A file that is not there, or not what is expected.
    pub fn read(file: &Path) -> Result<Self, KeysError> {
        Self::parse(&read(file)?, file)
    }

    /// Empty lines and those that begin with # are skipped.
    ///
    /// # Errors
    /// The first line that is wrong. `file` is only told of.
    pub fn parse(text: &str, file: &Path) -> Result<Self, KeysError> {
        let shown = || file.display().to_string();
        let mut keys: Vec<ApiKey> = Vec::new();
        for (position, line) in lines(text) {
            let key = ApiKey::parse(line);
            let key = key.map_err(|wrong| KeysError::Line { file: shown(), line: position + 1, wrong })?;
            if keys.iter().any(|known| known.name == key.name) {
                return Err(KeysError::Duplicate { file: shown(), name: key.name });
            }
            if let Some(same) = keys.iter().find(|known| known.sha256 == key.sha256) {
                return Err(KeysError::SameKey { file: shown(), name: key.name, other: same.name.clone() });
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// All keys, as the file has them.
    pub fn iter(&self) -> impl Iterator<Item = &ApiKey> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that was presented. All are compared, whichever fits, so that the time tells nothing.
    pub fn find(&self, presented: &str) -> Option<&ApiKey> {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        let mut found = u64::MAX;
        for (position, key) in (0..).zip(&self.0) {
            found.conditional_assign(&position, key.sha256.ct_eq(&presented));
        }
        self.0.get(usize::try_from(found).ok()?)
    }
}

impl ApiKey {
    fn parse(line: &str) -> Result<Self, BadLine> {
        let words: Vec<_> = line.split_whitespace().collect();
        let (name, tenant, hash) = match words[..] {
            [name, hash] => (name, None, hash),
            [name, tenant, hash] => (name, Some(tenant), hash),
            _ => return Err(BadLine::Words),
        };
        let sha256 = digest(hash).ok_or(BadLine::Hash)?;
        let tenant = match tenant {
            Some(ADMIN) => None,
            Some(tenant) => Some(tenant.parse()?),
            None => Some(name.parse().map_err(|InvalidTenant| BadLine::NameIsNoTenant(name.to_owned()))?),
        };
        Ok(Self { name: name.to_owned(), tenant, sha256 })
    }
}

/// The lines that have keys, and where they stand.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let trimmed = text.lines().enumerate().map(|(position, line)| (position, line.trim()));
    trimmed.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn read(file: &Path) -> Result<String, KeysError> {
    fs::read_to_string(file)
        .map_err(|error| KeysError::Unreadable { file: file.display().to_string(), reason: error.to_string() })
}

fn digest(hash: &str) -> Option<[u8; 32]> {
    if hash.len() != 64 || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut sha256 = [0; 32];
    for (byte, position) in sha256.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&hash[position..position + 2], 16).ok()?;
    }
    Some(sha256)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::ApiKeys;

    const ANNA: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"; // secret
    const BERT: &str = "5E884898DA28047151D0E56F8DC6292773603D0D6AABBDD62A11EF721D1542D8"; // password

    #[test]
    fn a_key_is_known_by_its_hash_and_belongs_to_a_tenant() {
        let admin = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"; // test
        let text = format!("# who may\n\nanna {ANNA}\n  Bert\tacme {BERT}  \nroot * {admin}\n");
        let keys = ApiKeys::parse(&text, Path::new("keys")).unwrap();
        for (presented, found) in [
            ("secret", Some(("anna", Some("anna")))),
            ("password", Some(("Bert", Some("acme")))),
            ("test", Some(("root", None))),
            ("", None),
            ("Secret", None),
            (ANNA, None),
        ] {
            let key = keys.find(presented);
            let key = key.map(|key| (key.name.as_str(), key.tenant.as_ref().map(|tenant| tenant.as_str())));
            assert_eq!(key, found, "{presented}");
        }
    }

    #[test]
    fn a_file_that_is_malformed_is_refused() {
        for (text, complaint) in [
            (format!("anna {ANNA}\nbert"), "line 2 of the API keys in keys"),
            (format!("anna {}", &ANNA[1..]), "64 hexadecimal digits"),
            (format!("anna +{}", &ANNA[1..]), "64 hexadecimal digits"),
            (format!("anna {ANNA} x"), "64 hexadecimal digits"),
            (format!("anna a b {ANNA}"), "a name, a tenant"),
            (format!("Anna {ANNA}"), "the name Anna is no tenant's name, so add one"),
            (format!("anna Acme {ANNA}"), "a tenant is at most 40 small letters"),
            (format!("anna acme:b {ANNA}"), "a tenant is at most 40 small letters"),
            (format!("anna {ANNA}\nanna {BERT}"), "the name anna twice"),
            (format!("anna {ANNA}\nbert {}", ANNA.to_uppercase()), "bert and anna"),
        ] {
            let error = ApiKeys::parse(&text, Path::new("keys")).err().unwrap().to_string();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
