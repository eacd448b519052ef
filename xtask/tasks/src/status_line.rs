//! One line about work that takes long.

use std::{
    fmt::Arguments,
    time::{Duration, Instant},
};

use crate::output::{is_terminal, say, say_in_place};

/// How often a line is written where no terminal can replace it.
const IN_LOGS_EVERY: Duration = Duration::from_secs(8);

/// Shows how far the work is: on a terminal in place, elsewhere as a new line every few seconds.
#[derive(Default)]
pub struct StatusLine {
    shown: Option<Instant>,
}

impl StatusLine {
    /// Shows the text, if it is time. Whoever calls this once a second leaves no gap of ten.
    pub fn show(&mut self, text: Arguments<'_>) {
        if is_terminal() {
            say_in_place(text);
        } else if self.shown.is_some_and(|shown| shown.elapsed() < IN_LOGS_EVERY) {
            return;
        } else {
            say(text);
        }
        self.shown = Some(Instant::now());
    }

    /// Wipes the line from the terminal.
    pub fn clear(&mut self) {
        if self.shown.take().is_some() && is_terminal() {
            say_in_place(format_args!(""));
        }
    }
}
