//! The folder for what this program may forget: a user who deletes it loses time and nothing else.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// `SLIPWAY_CACHE`, or `slipway` in the user's cache folder.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("SLIPWAY_CACHE")
        .or_else(|| Some(named("XDG_CACHE_HOME")?.join("slipway")))
        .or_else(|| Some(std::env::home_dir()?.join(".cache/slipway")))
        .context("there is no home folder to keep a cache in; name a folder with SLIPWAY_CACHE")
}
