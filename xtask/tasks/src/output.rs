//! The one place that writes: results on stdout, everything else on stderr.

use std::{
    fmt::Arguments,
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

/// Writes a line for the user's eyes. A stderr that is gone is no reason to stop.
pub fn say(line: Arguments<'_>) {
    writeln!(io::stderr(), "{line}").ok();
}

/// Replaces the terminal's current line, for counters; an empty text wipes it.
pub fn say_in_place(text: Arguments<'_>) {
    let mut stderr = io::stderr();
    write!(stderr, "\r\x1b[2K{text}").and_then(|()| stderr.flush()).ok();
}

/// Writes the task's result.
pub fn print(result: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(result.as_bytes())?;
    stdout.flush()
}

/// Writes the task's result for machines.
pub fn print_json(result: &(impl Serialize + ?Sized)) -> io::Result<()> {
    print(&(serde_json::to_string_pretty(result)? + "\n"))
}

pub fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Colours go to terminals whose user did not set NO_COLOR.
pub fn wants_colour() -> bool {
    is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
