//! Cargo's own progress bar, read and told in one line that also a log can take.

use std::time::{Duration, Instant};

use tasks::{StatusLine, output::say};

/// Has cargo draw its progress bar, which it otherwise draws on terminals only. It knows what no message of cargo tells:
/// how much there is to do, and what is at work.
pub(super) const FORCED: [(&str, &str); 3] =
    [("CARGO_TERM_PROGRESS_WHEN", "always"), ("CARGO_TERM_PROGRESS_WIDTH", "80"), ("CARGO_TERM_COLOR", "never")];

/// A guess at the rest of the time is worth something when this share of the packages is compiled.
const SHARE_FOR_FORECAST: f64 = 0.05;

/// What one line of cargo's stderr tells.
#[derive(Debug, PartialEq)]
enum Line<'a> {
    Building(Bar<'a>),
    /// Another package is being compiled.
    Compiling,
    /// Something else that takes time.
    Busy(&'a str),
    /// Of no interest.
    Noise,
    /// A warning, an error, or a part of one.
    Message(&'a str),
}

#[derive(Debug, PartialEq, Clone, Copy)]
struct Bar<'a> {
    done: u32,
    total: u32,
    /// As many of the crates at work as cargo had room for.
    at_work: &'a str,
}

pub(super) struct Progress {
    started: Instant,
    status_line: StatusLine,
    doing: String,
    /// How long it may still take, and what is at work.
    outlook: String,
    /// What was done already when the first bar came.
    done_before: Option<u32>,
    compiled: u32,
    messages: String,
}

impl Progress {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
            status_line: StatusLine::default(),
            doing: "finding out what there is to do".to_owned(),
            outlook: String::new(),
            done_before: None,
            compiled: 0,
            messages: String::new(),
        }
    }

    /// Takes in a line; none tells that time has passed.
    pub(super) fn update(&mut self, line: Option<&str>) {
        match line.map(read) {
            Some(Line::Building(bar)) => {
                let done_before = *self.done_before.get_or_insert(bar.done);
                self.doing = format!("{} of {} packages", bar.done, bar.total);
                self.outlook = outlook(bar, done_before, self.started.elapsed());
            }
            Some(Line::Compiling) => self.compiled += 1,
            Some(Line::Busy(doing)) => {
                self.doing = doing.to_owned();
                self.outlook.clear();
            }
            Some(Line::Message(message)) => {
                self.messages.push_str(message);
                self.messages.push('\n');
            }
            Some(Line::Noise) | None => {}
        }
        self.show();
    }

    /// What takes less than a second needs no line.
    fn show(&mut self) {
        let seconds = self.started.elapsed().as_secs();
        if seconds > 0 {
            self.status_line.show(format_args!("building: {}, {seconds} s{}", self.doing, self.outlook));
        }
    }

    /// Everything that cargo said besides.
    pub(super) fn finish(mut self) -> String {
        self.status_line.clear();
        if self.compiled > 0 {
            say(format_args!("built {} packages in {} s", self.compiled, self.started.elapsed().as_secs()));
        }
        self.messages
    }
}

fn outlook(bar: Bar<'_>, done_before: u32, elapsed: Duration) -> String {
    let (done, total) = (bar.done.saturating_sub(done_before), bar.total.saturating_sub(done_before));
    let left = forecast(done, total, elapsed);
    let left = left.map_or_else(String::new, |left| format!(", about {} s to go", left.as_secs()));
    let first = bar.at_work.split([',', '(']).next().unwrap_or_default().trim_end_matches('.');
    if first.is_empty() { left } else { format!("{left}: now {first}") }
}

/// The time that the rest takes if it goes on as it went.
fn forecast(done: u32, total: u32, elapsed: Duration) -> Option<Duration> {
    let share = f64::from(done) / f64::from(total.max(1));
    (share >= SHARE_FOR_FORECAST).then(|| elapsed.mul_f64((1.0 - share) / share))
}

fn read(line: &str) -> Line<'_> {
    let line = line.strip_prefix("\x1b[K").unwrap_or(line);
    let trimmed = line.trim();
    match trimmed.split_once(' ') {
        _ if trimmed.is_empty() => Line::Noise,
        Some(("Building", bar)) => read_bar(bar).map_or(Line::Noise, Line::Building),
        Some(("Compiling", _)) => Line::Compiling,
        Some(("Blocking", _)) => Line::Busy("waiting for another cargo to finish"),
        Some(("Downloading" | "Updating" | "Fetch" | "Locking", _)) => Line::Busy(trimmed),
        Some(("Downloaded" | "Finished" | "Adding" | "Executable" | "Fresh" | "Dirty", _)) => Line::Noise,
        _ => Line::Message(line),
    }
}

/// Reads `[====>      ] 123/560: tokio, serde...`.
fn read_bar(bar: &str) -> Option<Bar<'_>> {
    let counts = bar.strip_prefix('[')?.split_once("] ")?.1;
    let (counts, at_work) = counts.split_once(": ").unwrap_or((counts, ""));
    let (done, total) = counts.split_once('/')?;
    Some(Bar { done: done.trim().parse().ok()?, total: total.trim_end_matches(':').trim().parse().ok()?, at_work })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Bar, Line, forecast, outlook, read};

    #[test]
    fn what_cargo_writes_is_understood() {
        let building = |done, total, at_work| Line::Building(Bar { done, total, at_work });
        for (line, expected) in [
            ("    Building [=====>        ] 123/560: tokio, serde...", building(123, 560, "tokio, serde...")),
            ("\x1b[K    Building [>        ]   3/560", building(3, 560, "")),
            ("   Compiling tokio v1.54.0", Line::Compiling),
            (
                "    Blocking waiting for file lock on build directory",
                Line::Busy("waiting for another cargo to finish"),
            ),
            (
                " Downloading 5 crates, remaining bytes: 1.2MB",
                Line::Busy("Downloading 5 crates, remaining bytes: 1.2MB"),
            ),
            ("    Finished `release` profile [optimized] target(s) in 1.20s", Line::Noise),
            ("\x1b[K", Line::Noise),
            ("error: cannot find value `x` in this scope", Line::Message("error: cannot find value `x` in this scope")),
            ("  --> engine/src/lib.rs:3:5", Line::Message("  --> engine/src/lib.rs:3:5")),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn the_rest_of_the_time_is_told_when_something_is_known_of_it() {
        let seconds = Duration::from_secs;
        for (done, total, elapsed, left) in [
            (1, 100, seconds(10), None),
            (20, 100, seconds(10), Some(seconds(40))),
            (100, 100, seconds(10), Some(seconds(0))),
            (0, 0, seconds(10), None),
        ] {
            assert_eq!(forecast(done, total, elapsed), left, "{done} of {total}");
        }
    }

    #[test]
    fn what_was_there_before_is_no_measure_of_the_speed() {
        let half_a_minute = Duration::from_secs(30);
        for (done, done_before, at_work, expected) in [
            (150, 100, "tokio, serde(build)...", ", about 30 s to go: now tokio"),
            (101, 100, "tokio(build)", ": now tokio"),
            (150, 0, "", ", about 10 s to go"),
        ] {
            assert_eq!(outlook(Bar { done, total: 200, at_work }, done_before, half_a_minute), expected);
        }
    }
}
