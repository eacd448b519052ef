//! The folder for what this program may forget: a user who deletes it loses time and nothing else.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// `LONGHAND_CACHE`, or `longhand` in the user's cache folder.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("LONGHAND_CACHE")
        .or_else(|| Some(named("XDG_CACHE_HOME")?.join("longhand")))
        .or_else(|| Some(std::env::home_dir()?.join(".cache/longhand")))
        .context("there is no home folder to keep a cache in; name a folder with LONGHAND_CACHE")
}
