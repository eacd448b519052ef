//! The files and tables that tell what has been measured.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use tasks::output::{print as print_text, print_json};

use super::{page::page, report::Report, tables};

/// Replaces the files with what is known so far; each is whole at every moment.
pub(super) fn write(report: &Report, folder: &Path) -> Result<()> {
    let json = serde_json::to_string_pretty(report)? + "\n";
    for (name, text) in [("bench.json", json), ("bench.md", tables::markdown(report)), ("bench.html", page(report)?)] {
        let (path, draft) = (folder.join(name), folder.join(format!(".{name}")));
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &path))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// On stdout.
pub(super) fn print(report: &Report, json: bool) -> Result<()> {
    Ok(if json { print_json(report) } else { print_text(&tables::terminal(report)) }?)
}
