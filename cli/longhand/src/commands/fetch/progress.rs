//! What a fetch tells its user on stderr: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use indicatif::{HumanBytes, ProgressBar};
use models::FetchEvent;

use crate::terminal::bar_style;

const SPINNER: &str = "{prefix} {spinner} {msg}";

/// The display of one file. A file that is there already shows nothing.
pub(super) struct Progress {
    name: String,
    /// `None` where stderr is no terminal.
    bar: Option<ProgressBar>,
    /// How many quarters were told of so far, where there is no bar.
    quarters: AtomicU64,
}

impl Progress {
    pub(super) fn new(name: &str) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length().with_prefix(name.to_owned());
            bar.with_style(bar_style(SPINNER))
        });
        Self { name: name.to_owned(), bar, quarters: AtomicU64::new(0) }
    }

    pub(super) fn show(&self, event: FetchEvent) {
        match event {
            FetchEvent::Cached { .. } => self.close(),
            FetchEvent::Waiting => self.say("another process is fetching it, waiting"),
            FetchEvent::Trying { source } => {
                self.say(&format!("from {source}"));
                self.spin("receiving");
            }
            FetchEvent::Progress { done, total } => self.advance(done, total),
            FetchEvent::Verifying => self.work("checking"),
            FetchEvent::Preparing { step } => self.work(step),
            FetchEvent::Refused { reason, .. } => self.say(&format!("does not serve: {reason}")),
            FetchEvent::Done { path, .. } => {
                self.close();
                self.say(&format!("is at {}", path.display()));
            }
        }
    }

    fn advance(&self, done: u64, total: Option<u64>) {
        match (&self.bar, total) {
            (Some(bar), Some(total)) => {
                bar.set_style(bar_style("{prefix} {bar:32} {bytes}/{total_bytes} {bytes_per_sec} {eta} left"));
                bar.set_length(total);
                bar.set_position(done);
            }
            (Some(bar), None) => {
                bar.set_style(bar_style("{prefix} {spinner} {bytes} {bytes_per_sec}"));
                bar.set_position(done);
            }
            (None, Some(total)) => self.tell_quarters(done, total),
            (None, None) => {}
        }
    }

    fn tell_quarters(&self, done: u64, total: u64) {
        let quarters = done * 4 / total.max(1);
        if self.quarters.swap(quarters, Ordering::Relaxed) < quarters {
            self.say(&format!("{} of {}", HumanBytes(done), HumanBytes(total)));
        }
    }

    fn work(&self, step: &str) {
        match self.bar {
            Some(_) => self.spin(step),
            None => self.say(step),
        }
    }

    /// Shows that something takes a while whose end is not known.
    fn spin(&self, step: &str) {
        if let Some(bar) = &self.bar {
            // Quantising comes after the file itself is done.
            if bar.is_finished() {
                bar.reset();
            }
            bar.set_style(bar_style(SPINNER));
            bar.set_message(step.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
        }
    }

    /// A line that stays. Where stderr is gone, nobody reads it.
    fn say(&self, what: &str) {
        let line = format!("{}: {what}", self.name);
        match &self.bar {
            Some(bar) => bar.println(line),
            None => drop(writeln!(io::stderr(), "{line}")),
        }
    }

    fn close(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}
