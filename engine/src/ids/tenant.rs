//! The names of those who share a server.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

const LONGEST_TENANT: usize = 40;

/// Stands between a tenant and the name of its job.
pub(super) const TENANT_END: char = ':';

/// Whose jobs they are, where several share a server: a name of at most 40 small letters, digits and dashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Tenant(String);

/// A name that is no tenant's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tenant is at most {LONGEST_TENANT} small letters, digits and dashes, the first one a letter or a digit")]
pub struct InvalidTenant;

impl FromStr for Tenant {
    type Err = InvalidTenant;

    fn from_str(name: &str) -> Result<Self, InvalidTenant> {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        if name.starts_with(plain)
            && name.len() <= LONGEST_TENANT
            && name.chars().all(|letter| plain(letter) || letter == '-')
        {
            return Ok(Self(name.to_owned()));
        }
        Err(InvalidTenant)
    }
}

impl TryFrom<String> for Tenant {
    type Error = InvalidTenant;

    fn try_from(name: String) -> Result<Self, InvalidTenant> {
        name.parse()
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Tenant {
    /// What the ids of all its jobs begin with, and no other's.
    pub fn id_prefix(&self) -> String {
        format!("{}{TENANT_END}", self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
