//! What a build takes from and gives to places outside its context. Compose files name these
//! things and the engine uses them; neither part knows the other.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SecretSource {
    File(PathBuf),
    Environment(String),
}

/// A place that a build's cache is read from or written to, as in `type=registry,ref=...`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CacheStore {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(flatten)]
    pub(crate) attributes: BTreeMap<String, String>,
}

impl CacheStore {
    /// Reads `type=TYPE,KEY=VALUE,...`, or only a registry's reference.
    pub(crate) fn parse(written: &str) -> Result<CacheStore, String> {
        if !written.contains('=') {
            let attributes = [("ref".to_owned(), written.to_owned())].into();
            return Ok(CacheStore { kind: "registry".to_owned(), attributes });
        }
        let mut attributes = BTreeMap::new();
        for part in written.split(',') {
            let (key, value) =
                part.split_once('=').ok_or_else(|| format!("`{part}` of `{written}` is not KEY=VALUE"))?;
            attributes.insert(key.trim().to_owned(), value.trim().to_owned());
        }
        let kind = attributes.remove("type").ok_or_else(|| format!("`{written}` has no `type=`"))?;
        if matches!(kind.as_str(), "inline" | "registry" | "gha" | "s3" | "azblob") {
            Ok(CacheStore { kind, attributes })
        } else {
            Err(format!("a cache of type `{kind}` is not supported"))
        }
    }
}
