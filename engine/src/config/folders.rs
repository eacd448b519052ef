//! Folders that the machine, not Longhand, has variables for.

use std::path::PathBuf;

/// The user's folder for a kind of file, after the XDG convention: `variable`, else `fallback` in the home folder.
pub fn user_folder(variable: &str, fallback: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => std::env::home_dir().unwrap_or_else(|| PathBuf::from("/tmp")).join(fallback),
    }
}

/// Where the shell looks for programs, in its order.
pub fn program_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect()
}
