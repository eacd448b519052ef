//! Output: data to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use indicatif::ProgressStyle;
use serde::Serialize;
use tokio::sync::oneshot;

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

/// Asks a person, who says yes or anything else; a second Ctrl-C and the end of the input mean no.
pub(crate) async fn confirmed(question: &str) -> bool {
    let (answer, answered) = oneshot::channel();
    if write!(io::stderr(), "{question} [y/N] ").is_err() {
        return false;
    }
    // A thread of its own: the runtime would wait for one of its own threads when the program ends.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        // Nobody listens any more after a second Ctrl-C.
        answer.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")).ok();
    });
    tokio::select! {
        said = answered => said.unwrap_or(false),
        _ = tokio::signal::ctrl_c() => {
            note("");
            false
        }
    }
}

/// Whether stderr can show a bar that moves.
pub(crate) fn can_show_bars() -> bool {
    console::Term::stderr().features().is_attended()
}

/// How a bar looks: as the template says, or as the library's own bars where that is mistaken.
pub(crate) fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
