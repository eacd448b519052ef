//! Where symbolic links of a folder lead to.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::buildkit::path_patterns::{Matches, PathPatterns};

/// Symbolic links followed for one path before it counts as a loop.
const MOST_LINKS: usize = 40;

/// The path itself and, for each symbolic link on it, what the link points to within `root`.
pub(super) fn with_link_targets(root: &Path, path: &str) -> Vec<String> {
    let mut found = BTreeSet::from([normal(Path::new(path))]);
    let mut open = vec![normal(Path::new(path))];
    for _ in 0..MOST_LINKS {
        let Some(path) = open.pop() else { break };
        for candidate in expand_wildcards(root, &path) {
            if let Some((link, target)) = first_link(root, &candidate) {
                found.insert(link);
                if found.insert(target.clone()) {
                    open.push(target);
                }
            }
        }
    }
    found.into_iter().collect()
}

/// The first symbolic link on the path, and the path with that link resolved.
fn first_link(root: &Path, path: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    (1..=parts.len()).find_map(|taken| {
        let link = parts[..taken].join("/");
        let target = std::fs::read_link(root.join(&link)).ok()?;
        let parent = if target.is_absolute() { PathBuf::new() } else { parts[..taken - 1].iter().collect() };
        let rest: PathBuf = parts[taken..].iter().collect();
        Some((link, normal(&parent.join(target.strip_prefix("/").unwrap_or(&target)).join(rest))))
    })
}

/// The entries that a path with wildcards in its last part stands for.
fn expand_wildcards(root: &Path, path: &str) -> Vec<String> {
    if !path.contains(['*', '?', '[']) {
        return vec![path.to_owned()];
    }
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    let pattern = PathPatterns::new([path]);
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| Some(normal(&Path::new(folder).join(entry.file_name().to_str()?))))
        .filter(|path| pattern.select(&pattern.matches(path, &Matches::default())))
        .collect()
}

/// Relative to the root, without `.` and `..`; nothing leads out of the root.
fn normal(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            std::path::Component::ParentDir => parts.truncate(parts.len().saturating_sub(1)),
            _ => {}
        }
    }
    parts.join("/")
}
