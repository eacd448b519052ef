//! What git knows of the project.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The top of the git working tree that a folder is in.
pub(super) fn top_of_working_tree(folder: &Path) -> Result<PathBuf> {
    let top = git(folder, &["rev-parse", "--show-toplevel"])
        .with_context(|| format!("{} is in no git repository, and a bench copies what git knows", folder.display()))?;
    Ok(PathBuf::from(top.trim_end_matches('\n')).canonicalize()?)
}

/// The files that git tracks or would, from the top of the working tree on.
pub(super) fn tracked_files(root: &Path) -> Result<Vec<PathBuf>> {
    let listed = git(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect())
}

pub(super) fn is_ignore_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".dockerignore"))
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().context("git cannot be run")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments[0], String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("a file's name is not UTF-8")
}
