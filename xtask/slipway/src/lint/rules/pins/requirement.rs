//! Lines of pip's requirements files.

use std::path::{Path, PathBuf};

/// A package by name, with the versions that will do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Requirement {
    /// As it is written, without options and comments.
    pub(super) text: String,
    pub(super) file: PathBuf,
    /// Counted from 1.
    pub(super) line: usize,
}

/// What a file asks for.
#[derive(Debug, Default)]
pub(super) struct Requirements {
    pub(super) packages: Vec<Requirement>,
    pub(super) constraints: Vec<Requirement>,
    /// Lines such as `--extra-index-url ...`.
    pub(super) indexes: Vec<String>,
}

impl Requirement {
    /// Its package, in the one way to write it.
    pub(super) fn name(&self) -> String {
        normal_name(&self.text)
    }

    /// Without extras and environment markers.
    pub(super) fn pin(&self) -> &str {
        self.text.split(';').next().unwrap_or(&self.text).trim()
    }
}

/// The package's name at the beginning of a requirement.
pub(super) fn normal_name(text: &str) -> String {
    let end = text.find(|character: char| !(character.is_ascii_alphanumeric() || "-_.".contains(character)));
    text[..end.unwrap_or(text.len())].to_ascii_lowercase().replace(['_', '.'], "-")
}

impl Requirements {
    /// Reads a file and those it refers to. What is not a package by name, such as a folder or an
    /// address, is left out: nobody knows its requirements without running it.
    pub(super) fn read(&mut self, file: &Path, depth: usize) {
        // Files may refer to each other.
        if depth > 8 {
            return;
        }
        let Ok(text) = std::fs::read_to_string(file) else { return };
        for (line, written) in logical_lines(&text) {
            self.read_line(&written, file, line, depth);
        }
    }

    fn read_line(&mut self, written: &str, file: &Path, line: usize, depth: usize) {
        let beside = |other: &str| file.with_file_name("").join(other);
        if let Some(other) = option(written, "-r", "--requirement") {
            self.read(&beside(other), depth + 1);
        } else if let Some(other) = option(written, "-c", "--constraint") {
            let mut constraints = Requirements::default();
            constraints.read(&beside(other), depth + 1);
            self.constraints.extend(constraints.packages);
        } else if ["--index-url", "-i ", "--extra-index-url"].iter().any(|index| written.starts_with(index)) {
            self.indexes.push(written.to_owned());
        } else {
            self.packages.extend(package(written, file, line));
        }
    }
}

/// A requirement that names a package; none where it is something else.
pub(super) fn package(written: &str, file: &Path, line: usize) -> Option<Requirement> {
    let text = written.split(" --").next().unwrap_or_default().trim();
    let begins_well = text.starts_with(|character: char| character.is_ascii_alphanumeric());
    let is_place = text.contains("://") || text.contains(" @ ") || text.contains('/') || text.ends_with(".whl");
    let is_open = text.contains('$');
    (begins_well && !is_place && !is_open).then(|| Requirement { text: text.to_owned(), file: file.to_owned(), line })
}

fn option<'a>(line: &'a str, short: &str, long: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(long).or_else(|| line.strip_prefix(short))?;
    Some(rest.trim_start_matches(['=', ' ']).trim()).filter(|rest| !rest.is_empty())
}

/// Lines with their numbers, continued ones joined and comments dropped.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (number, physical) in (1..).zip(text.lines()) {
        let content = physical.strip_suffix('\\').unwrap_or(physical);
        match lines.last_mut().filter(|_| continues) {
            Some((_, line)) => line.push_str(content),
            None => lines.push((number, content.to_owned())),
        }
        continues = physical.ends_with('\\');
    }
    let uncommented = lines.into_iter().map(|(number, line)| {
        let end = if line.trim_start().starts_with('#') { Some(0) } else { line.find(" #") };
        (number, line[..end.unwrap_or(line.len())].trim().to_owned())
    });
    uncommented.filter(|(_, line)| !line.is_empty()).collect()
}
