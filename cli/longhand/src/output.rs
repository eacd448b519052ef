//! Where results are written: stdout, or files that appear only when they are complete.

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use engine::{
    formats::{Format, answers},
    result::JobResult,
};

use crate::terminal::print;

#[derive(Debug, Clone, Args)]
pub(crate) struct OutputFlags {
    /// How to write the result [default: as PATH ends, else txt]
    #[arg(long, value_parser = format_parser())]
    format: Option<Format>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// Write to this file instead of stdout; a folder for several results
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
}

pub(crate) fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}

/// Where results go, and how they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    format: Format,
    target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Stdout,
    File(PathBuf),
    Folder(PathBuf),
}

/// A result, and the name of its recording, after which its file in a folder is named.
pub(crate) struct NamedResult {
    pub(crate) name: String,
    /// `None` where the job left none.
    pub(crate) result: Option<JobResult>,
}

impl OutputFlags {
    /// Decides where as many results are written.
    ///
    /// # Errors
    /// What cannot be written as asked, so that it is known before any work is done.
    pub(crate) fn resolve(&self, results: usize) -> anyhow::Result<Output> {
        let chosen = if self.json { Some(Format::Json) } else { self.format };
        let target = match &self.output {
            None => Target::Stdout,
            Some(path) if results > 1 || path.is_dir() => Target::Folder(path.clone()),
            Some(path) => Target::File(path.clone()),
        };
        let format = chosen.or_else(|| format_of(&target)).unwrap_or(Format::Txt);
        let output = Output { format, target };
        output.check(results)?;
        Ok(output)
    }

    /// Whether neither a format nor a file was asked for.
    pub(crate) fn is_plain(&self) -> bool {
        self.format.is_none() && self.output.is_none()
    }
}

fn format_of(target: &Target) -> Option<Format> {
    let Target::File(path) = target else { return None };
    let extension = path.extension()?;
    Format::ALL.into_iter().find(|format| extension.eq_ignore_ascii_case(format.extension()))
}

impl Output {
    pub(crate) fn folder(path: PathBuf, format: Format) -> anyhow::Result<Self> {
        let output = Self { format, target: Target::Folder(path) };
        output.check(1)?;
        Ok(output)
    }

    fn check(&self, results: usize) -> anyhow::Result<()> {
        match &self.target {
            Target::Stdout if results > 1 && matches!(self.format, Format::Srt | Format::Vtt) => {
                bail!("several {} documents do not fit one stream; add -o FOLDER", self.format)
            }
            Target::Stdout => Ok(()),
            Target::File(path) => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                let writable = parent.is_none_or(Path::is_dir);
                ensure!(writable, "cannot write {}: there is no such folder; create it first", path.display());
                Ok(())
            }
            Target::Folder(path) => fs::create_dir_all(path)
                .with_context(|| format!("cannot use {} as a folder for the results", path.display())),
        }
    }

    /// Writes all results in order. What a failed job left is of use to programs only: it is
    /// written as json and left out otherwise. What a cancelled one had is written where it stands alone.
    pub(crate) fn write(&self, results: &[NamedResult]) -> anyhow::Result<()> {
        match &self.target {
            Target::Stdout => print(&self.stream(results)?),
            Target::File(path) => match results.iter().find_map(|named| self.usable(named.result.as_ref())) {
                Some(result) => write_atomically(path, &self.document(result)?),
                None => Ok(()),
            },
            Target::Folder(_) => {
                let names = results.iter().map(|named| named.name.clone()).collect();
                let Some(mut folder) = self.open_folder(names) else { return Ok(()) };
                results.iter().try_for_each(|named| folder.write_next(named.result.as_ref()))
            }
        }
    }

    /// The folder that results are written to one after the other, if it is one.
    pub(crate) fn open_folder(&self, names: Vec<String>) -> Option<OutputFolder<'_>> {
        let Target::Folder(path) = &self.target else { return None };
        let files = file_names(names.iter().map(String::as_str), self.format.extension());
        Some(OutputFolder { output: self, path, files: files.into_iter() })
    }

    /// One document for several results: a JSON array, or texts under their names.
    fn stream(&self, results: &[NamedResult]) -> anyhow::Result<String> {
        if let [only] = results {
            return self.usable(only.result.as_ref()).map_or_else(|| Ok(String::new()), |result| self.document(result));
        }
        let documents = results.iter().map(|named| self.usable(named.result.as_ref()));
        let documents = documents.map(|result| result.map(|result| self.document(result)).transpose());
        let documents = documents.collect::<anyhow::Result<Vec<_>>>()?;
        if matches!(self.format, Format::Json | Format::VerboseJson) {
            let items = documents.into_iter().map(|document| document.unwrap_or_else(|| "null".to_owned()));
            let items: Vec<_> = items.map(|document| document.trim_end().to_owned()).collect();
            return Ok(format!("[\n{}\n]\n", items.join(",\n")));
        }
        let titled = results
            .iter()
            .zip(documents)
            .filter_map(|(named, document)| document.map(|document| format!("==> {} <==\n{document}", named.name)));
        Ok(titled.collect::<Vec<_>>().join("\n"))
    }

    /// Whether the result holds answers that the format has no room for.
    pub(crate) fn leaves_out_answers(&self, result: &JobResult) -> bool {
        !result.llm.is_empty() && !matches!(self.format, Format::Txt | Format::Json)
    }

    /// Whether a document says itself how the job ended.
    fn tells_status(&self) -> bool {
        self.format == Format::Json
    }

    fn usable<'a>(&self, result: Option<&'a JobResult>) -> Option<&'a JobResult> {
        result.filter(|result| self.tells_status() || result.has_transcript())
    }

    /// The result in the format. A text is followed by the LLM's answers.
    fn document(&self, result: &JobResult) -> anyhow::Result<String> {
        let mut document = self.format.render(result)?;
        if self.format == Format::Txt && !result.llm.is_empty() {
            document = format!("{document}\n{}", answers(result));
        }
        Ok(document)
    }
}

/// A folder that takes results in the order of their names.
pub(crate) struct OutputFolder<'a> {
    output: &'a Output,
    path: &'a Path,
    files: std::vec::IntoIter<PathBuf>,
}

impl OutputFolder<'_> {
    pub(crate) fn write_next(&mut self, result: Option<&JobResult>) -> anyhow::Result<()> {
        let Some(file) = self.files.next() else { return Ok(()) };
        let usable = self.output.usable(result);
        // Among many files nobody sees that one is of a cancelled job and ends too early.
        let whole = usable.filter(|result| self.output.tells_status() || result.status.has_transcript());
        let Some(result) = whole else { return Ok(()) };
        write_atomically(&self.path.join(file), &self.output.document(result)?)
    }
}

/// A path below a folder for each name, with the extension changed; names that differ in their
/// extensions only keep them, and those that do not differ at all are numbered.
fn file_names<'a>(names: impl Iterator<Item = &'a str>, extension: &str) -> Vec<PathBuf> {
    let names: Vec<PathBuf> = names.map(relative).collect();
    let mut taken = HashSet::new();
    let mut sharing: HashMap<PathBuf, u32> = HashMap::new();
    names.iter().for_each(|name| *sharing.entry(name.with_extension("")).or_default() += 1);
    let chosen = names.iter().map(|name| {
        let alone = sharing.get(&name.with_extension("")) == Some(&1);
        let stem = if alone { name.with_extension("") } else { name.clone() };
        let candidates =
            std::iter::once(stem.clone()).chain((2..).map(|number| suffixed(&stem, &format!("-{number}"))));
        let mut files = candidates.map(|candidate| suffixed(&candidate, &format!(".{extension}")));
        files.find(|file| taken.insert(file.clone())).unwrap_or(stem)
    });
    chosen.collect()
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(suffix);
    PathBuf::from(whole)
}

/// The name as a path that stays below where it is joined to. An address loses its scheme and query.
fn relative(name: &str) -> PathBuf {
    let path = name.split_once("://").map_or(name, |(_, rest)| rest.split(['?', '#']).next().unwrap_or(rest));
    Path::new(path).components().filter(|component| matches!(component, Component::Normal(_))).collect()
}

/// Either all of the text is in the file or the file is as it was. What is no regular file, such as
/// a device or a pipe, is written to and not replaced.
fn write_atomically(path: &Path, text: &str) -> anyhow::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let replaceable = fs::metadata(&target).map_or(true, |metadata| metadata.is_file());
    let written = if replaceable { replace(&target, text) } else { fs::write(&target, text) };
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    // As any new file: readable as the user's umask says.
    let permissions = fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(parent)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::file_names;

    #[test]
    fn files_in_a_folder_have_names_of_their_own() {
        for (names, files) in [
            (&["a.flac", "b.mp3"][..], &["a.txt", "b.txt"][..]),
            (&["a.flac", "a.mp3"], &["a.flac.txt", "a.mp3.txt"]),
            (&["a.flac", "a.flac", "a.flac"], &["a.flac.txt", "a.flac-2.txt", "a.flac-3.txt"]),
            (&["one/a.flac", "two/a.flac"], &["one/a.txt", "two/a.txt"]),
            (&["/etc/../../a.flac", "../b.mp3"], &["etc/a.txt", "b.txt"]),
            (&["https://host/talks/a.mp3?key=1#t"], &["host/talks/a.txt"]),
        ] {
            let expected: Vec<_> = files.iter().map(PathBuf::from).collect();
            assert_eq!(file_names(names.iter().copied(), "txt"), expected);
        }
    }
}
