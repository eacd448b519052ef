//! Shows a build while it runs. Each style consumes the same events and does no work of its own.

mod plain;
mod terminal;

use anyhow::Result;
use clap::ValueEnum;
use tasks::output;

use crate::{build_event::BuildEvent, timings::BuildRecord};
use plain::Plain;
use terminal::Terminal;

#[derive(Debug, Clone, Copy, Default, PartialEq, ValueEnum)]
pub(crate) enum ProgressStyle {
    /// `tty` on a terminal, else `plain`
    #[default]
    Auto,
    /// One line per image
    Tty,
    /// Line by line, for logs
    Plain,
    /// One JSON event per line on standard output
    Json,
    /// Only the images' digests, and what fails
    Quiet,
}

pub(super) enum Progress {
    Plain(Plain),
    Terminal(Terminal),
    Json,
    Quiet,
}

impl Progress {
    pub(super) fn new(style: ProgressStyle, record: &BuildRecord) -> Progress {
        let names: Vec<&str> = record.images.iter().map(|image| image.name.as_str()).collect();
        match style {
            ProgressStyle::Json => Progress::Json,
            ProgressStyle::Quiet => Progress::Quiet,
            ProgressStyle::Plain => Progress::Plain(Plain::new(&names)),
            ProgressStyle::Tty => Progress::Terminal(Terminal::new(&names)),
            ProgressStyle::Auto if output::is_terminal() => Progress::Terminal(Terminal::new(&names)),
            ProgressStyle::Auto => Progress::Plain(Plain::new(&names)),
        }
    }

    pub(super) fn show(&mut self, event: &BuildEvent, record: &BuildRecord) -> Result<()> {
        match self {
            Progress::Plain(plain) => plain.show(event, record)?,
            Progress::Terminal(terminal) => terminal.show(event, record),
            Progress::Json => data(&serde_json::to_string(event)?)?,
            Progress::Quiet => {}
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        if let Progress::Terminal(terminal) = self {
            terminal.finish();
        }
        Ok(())
    }
}

/// Writes a line of data to standard output.
pub(super) fn data(text: &str) -> Result<()> {
    Ok(output::print(&format!("{text}\n"))?)
}
