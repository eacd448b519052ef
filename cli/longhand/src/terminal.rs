//! Output: data to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use indicatif::ProgressStyle;
use serde::Serialize;

/// Writes data to stdout.
pub(crate) fn print(data: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to stdout")
}

/// Writes one JSON document to stdout.
pub(crate) fn print_json(data: &impl Serialize) -> anyhow::Result<()> {
    print(&(serde_json::to_string_pretty(data)? + "\n"))
}

/// Writes a line for the user to stderr.
pub(crate) fn note(text: &str) {
    // Where stderr is gone there is nobody left to tell.
    writeln!(io::stderr(), "{text}").ok();
}

/// Whether there is a person who can be asked.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether stderr can show a bar that moves.
pub(crate) fn can_show_bars() -> bool {
    console::Term::stderr().features().is_attended()
}

/// How a bar looks: as the template says, or as the library's own bars where that is mistaken.
pub(crate) fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
