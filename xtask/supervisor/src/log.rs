//! The files into which processes write, one for each, and which are read as they grow.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// Where a process writes of those that have their logs in this folder.
pub fn log_path(folder: &Path, process: &str) -> PathBuf {
    folder.join(format!("{process}.log"))
}

pub(crate) struct LogReader {
    file: File,
    /// The beginning of a line whose end is not there yet.
    unfinished: Vec<u8>,
}

impl LogReader {
    /// For what is written from now on.
    pub(crate) fn at_end(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, unfinished: Vec::new() })
    }

    /// The lines that were finished since the last time. Where nothing more will be written, what stands there without an
    /// end is a line, too.
    pub(crate) fn lines(&mut self, is_over: bool) -> io::Result<Vec<String>> {
        self.file.read_to_end(&mut self.unfinished)?;
        let finished = self.unfinished.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let end = if is_over { self.unfinished.len() } else { finished };
        let lines: Vec<u8> = self.unfinished.drain(..end).collect();
        Ok(String::from_utf8_lossy(&lines).lines().map(|line| line.trim_end().to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::LogReader;

    #[test]
    fn lines_are_read_once_they_are_whole() {
        let mut log = tempfile::NamedTempFile::new().unwrap();
        log.write_all(b"of an earlier run\n").unwrap();
        let mut reader = LogReader::at_end(log.path()).unwrap();
        for (written, is_over, expected) in [
            ("", false, vec![]),
            ("one\ntw", false, vec!["one"]),
            ("o \r\n\nthree", false, vec!["two", ""]),
            ("", false, vec![]),
            ("", true, vec!["three"]),
        ] {
            log.write_all(written.as_bytes()).unwrap();
            assert_eq!(reader.lines(is_over).unwrap(), expected, "{written:?}");
        }
    }
}
