//! Walks a folder in the order that the engine insists on and tells what it may have of it:
//! what the include patterns select and the exclude patterns do not.

mod entry;
mod links;

use std::{io, os::unix::fs::FileTypeExt, path::Path};

use serde::{Deserialize, Serialize};

use super::path_patterns::{Matches, PathPatterns};
pub(crate) use entry::{Entry, Stamp};
use links::with_link_targets;

/// What of a folder the engine asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Selection {
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    /// Paths to include together with whatever their symbolic links point to.
    pub(crate) follow: Vec<String>,
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
            return if selected { self.select(Entry::of(path, &full, &metadata)?) } else { Ok(()) };
        }
        if !(may_include_below && may_bring_back_below) {
            return Ok(());
        }
        let waiting = self.unvisited_parents.len();
        if selected {
            self.select(Entry::of(path, &full, &metadata)?)?;
        } else {
            self.unvisited_parents.push(Entry::of(path, &full, &metadata)?);
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
