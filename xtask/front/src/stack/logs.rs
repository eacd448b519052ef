//! The processes' output in files, one for each process.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{Event, Program};

pub(crate) struct LogFiles {
    folder: PathBuf,
    files: BTreeMap<String, File>,
}

impl LogFiles {
    /// Begins a new file for every program; those of the run before are gone.
    pub(crate) fn create(folder: &Path, programs: &[Program]) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
        let mut files = BTreeMap::new();
        for Program { name, .. } in programs {
            let path = log_path(folder, name);
            let file = File::create(&path).with_context(|| format!("cannot write the log {}", path.display()))?;
            files.insert(name.clone(), file);
        }
        Ok(Self { folder: folder.to_owned(), files })
    }

    pub(crate) fn write(&mut self, event: &Event) {
        let Event::Log { process, line } = event else { return };
        if let Some(file) = self.files.get_mut(process) {
            // The stack has to run on when the disk is full; the line is on the console, too.
            writeln!(file, "{line}").ok();
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The last lines that a process wrote.
pub(crate) fn tail(folder: &Path, process: &str, lines: usize) -> String {
    let log = fs::read_to_string(log_path(folder, process)).unwrap_or_default();
    let all: Vec<&str> = log.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn log_path(folder: &Path, process: &str) -> PathBuf {
    folder.join(format!("{process}.log"))
}
