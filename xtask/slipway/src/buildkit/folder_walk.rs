//! Walks a folder in the order that the engine insists on and tells what it may have of it:
//! what the include patterns select and the exclude patterns do not.

use std::{
    collections::BTreeSet,
    fs::Metadata,
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::path_patterns::{Matches, PathPatterns};

/// Symbolic links followed for one path before it counts as a loop.
const MOST_LINKS: usize = 40;

/// The mode bits of Go's `os.FileMode`, which the protocol carries.
mod mode {
    pub(super) const FOLDER: u32 = 1 << 31;
    pub(super) const LINK: u32 = 1 << 27;
    pub(super) const DEVICE: u32 = 1 << 26;
    pub(super) const PIPE: u32 = 1 << 25;
    pub(super) const SET_UID: u32 = 1 << 23;
    pub(super) const SET_GID: u32 = 1 << 22;
    pub(super) const CHARACTER_DEVICE: u32 = 1 << 21;
    pub(super) const STICKY: u32 = 1 << 20;
    /// Whatever is not a plain file.
    pub(super) const OTHER_KINDS: u32 = FOLDER | LINK | DEVICE | PIPE | CHARACTER_DEVICE;
}

/// What of a folder the engine asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Selection {
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    /// Paths to include together with whatever their symbolic links point to.
    pub(crate) follow: Vec<String>,
}

/// What the engine is told of a file, a folder or a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// From the folder on, with `/`.
    pub(crate) path: String,
    /// The bits of Go's `os.FileMode`.
    pub(crate) mode: u32,
    /// Bytes; zero for what is not a plain file.
    pub(crate) size: u64,
    /// What a symbolic link points to; empty for all else.
    pub(crate) link: String,
    pub(crate) stamp: Stamp,
}

/// What the file system changes with every change of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// Nanoseconds since 1970, as are those of `changed`.
    pub(crate) modified: i64,
    /// No program can set this one.
    pub(crate) changed: i64,
}

impl Entry {
    pub(crate) fn is_file(&self) -> bool {
        self.mode & mode::OTHER_KINDS == 0
    }

    /// The entry as it is now; none where it is gone.
    pub(crate) fn read(root: &Path, path: &str) -> io::Result<Option<Entry>> {
        let full = root.join(path);
        match std::fs::symlink_metadata(&full) {
            Ok(metadata) => entry(path, &full, &metadata).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::other(format!("{}: {error}", full.display()))),
        }
    }
}

/// Calls `visit` with every selected entry in the protocol's order: names by bytes, a folder
/// before what it holds.
pub(crate) fn walk(
    root: &Path,
    selection: &Selection,
    visit: &mut dyn FnMut(Entry) -> io::Result<()>,
) -> io::Result<()> {
    let mut include = selection.include.clone();
    include.extend(selection.follow.iter().flat_map(|path| with_link_targets(root, path)));
    // Following a link to the root itself asks for all there is.
    if include.iter().any(|path| path.is_empty()) {
        include.clear();
    }
    let mut walk = Walk {
        root,
        include: PathPatterns::new(&include),
        exclude: PathPatterns::new(&selection.exclude),
        unvisited_parents: Vec::new(),
        visit,
    };
    walk.folder("", &Matches::default(), &Matches::default())
}

struct Walk<'a> {
    root: &'a Path,
    include: PathPatterns,
    exclude: PathPatterns,
    /// Folders that were not selected themselves, but must exist once something in them is.
    unvisited_parents: Vec<Entry>,
    visit: &'a mut dyn FnMut(Entry) -> io::Result<()>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &str, included: &Matches, excluded: &Matches) -> io::Result<()> {
        let mut names = std::fs::read_dir(self.root.join(folder))?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            let name = name
                .to_str()
                .ok_or_else(|| io::Error::other(format!("{folder}/{}: the name is not UTF-8", name.display())))?;
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            self.entry(&path, included, excluded)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &str, included: &Matches, excluded: &Matches) -> io::Result<()> {
        let included = self.include.matches(path, included);
        let excluded = self.exclude.matches(path, excluded);
        let is_included = self.include.is_empty() || self.include.select(&included);
        let is_excluded = self.exclude.select(&excluded);
        let may_include_below = is_included || self.include.may_match_below(path);
        let may_bring_back_below = !is_excluded || self.exclude.may_except_below(path);

        let full = self.root.join(path);
        let metadata = match std::fs::symlink_metadata(&full) {
            Ok(metadata) => metadata,
            // Editors and compilers delete files while a context is read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io::Error::other(format!("{}: {error}", full.display()))),
        };
        if metadata.file_type().is_socket() {
            return Ok(());
        }
        let selected = is_included && !is_excluded;
        if !metadata.is_dir() {
            return if selected { self.select(entry(path, &full, &metadata)?) } else { Ok(()) };
        }
        if !(may_include_below && may_bring_back_below) {
            return Ok(());
        }
        let waiting = self.unvisited_parents.len();
        if selected {
            self.select(entry(path, &full, &metadata)?)?;
        } else {
            self.unvisited_parents.push(entry(path, &full, &metadata)?);
        }
        self.folder(path, &included, &excluded)?;
        self.unvisited_parents.truncate(waiting);
        Ok(())
    }

    fn select(&mut self, entry: Entry) -> io::Result<()> {
        for parent in self.unvisited_parents.drain(..) {
            (self.visit)(parent)?;
        }
        (self.visit)(entry)
    }
}

fn entry(path: &str, full: &Path, metadata: &Metadata) -> io::Result<Entry> {
    let kind = metadata.file_type();
    let nanoseconds = |seconds: i64, rest: i64| seconds * 1_000_000_000 + rest;
    let link = if kind.is_symlink() { std::fs::read_link(full)?.to_string_lossy().into_owned() } else { String::new() };
    Ok(Entry {
        path: path.to_owned(),
        mode: go_mode(metadata),
        size: if kind.is_file() { metadata.len() } else { 0 },
        link,
        stamp: Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        },
    })
}

fn go_mode(metadata: &Metadata) -> u32 {
    let kind = metadata.file_type();
    let unix = metadata.permissions().mode();
    let mut go = unix & 0o777;
    let bits = [
        (kind.is_dir(), mode::FOLDER),
        (kind.is_symlink(), mode::LINK),
        (kind.is_block_device() || kind.is_char_device(), mode::DEVICE),
        (kind.is_char_device(), mode::CHARACTER_DEVICE),
        (kind.is_fifo(), mode::PIPE),
        (unix & 0o4000 != 0, mode::SET_UID),
        (unix & 0o2000 != 0, mode::SET_GID),
        (unix & 0o1000 != 0, mode::STICKY),
    ];
    for (set, bit) in bits {
        go |= if set { bit } else { 0 };
    }
    go
}

/// The path itself and, for each symbolic link on it, what the link points to within `root`.
fn with_link_targets(root: &Path, path: &str) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for entry in entries {
            let (path, target) = entry.split_once(" -> ").unwrap_or((entry, ""));
            let full = root.path().join(path);
            std::fs::create_dir_all(full.parent().unwrap()).unwrap();
            if target.is_empty() {
                std::fs::write(full, path).unwrap();
            } else {
                std::os::unix::fs::symlink(target, full).unwrap();
            }
        }
        root
    }

    fn check(tree_of: &[&str], include: &[&str], exclude: &[&str], follow: &[&str], expected: &[&str]) {
        let root = tree(tree_of);
        let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let selection = Selection { include: strings(include), exclude: strings(exclude), follow: strings(follow) };
        let mut seen = Vec::new();
        walk(root.path(), &selection, &mut |entry| {
            seen.push(entry.path);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, expected, "include {include:?}, exclude {exclude:?}, follow {follow:?}");
    }

    #[test]
    fn entries_come_selected_and_in_order() {
        let files = ["a.txt", "a/x", "a/y/z", "b", "target/big"];
        check(&files, &[], &[], &[], &["a", "a/x", "a/y", "a/y/z", "a.txt", "b", "target", "target/big"]);
        check(&files, &[], &["target", "**/z"], &[], &["a", "a/x", "a/y", "a.txt", "b"]);
        check(&files, &[], &["*", "!a/y"], &[], &["a", "a/y", "a/y/z"]);
        check(&files, &["a/y/z"], &[], &[], &["a", "a/y", "a/y/z"]);
        check(&files, &["nothing"], &[], &[], &[]);
    }

    #[test]
    fn followed_links_bring_their_targets() {
        let files = ["real/file", "link -> real", "chain -> link/file", "out -> /../real", "other"];
        check(&files, &[], &[], &["link"], &["link", "real", "real/file"]);
        check(&files, &[], &[], &["chain"], &["chain", "link", "real", "real/file"]);
        check(&files, &[], &[], &["ou*"], &["out", "real", "real/file"]);
        check(&files, &[], &[], &["."], &["chain", "link", "other", "out", "real", "real/file"]);
    }
}
