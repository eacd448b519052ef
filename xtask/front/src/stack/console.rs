//! The processes' health and output for the user's eyes, a line for each event.

use std::{collections::BTreeSet, fmt::Display};

use super::{Event, Program};

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Readiness and crashes only.
    Brief,
    /// Every change of health, and every line that a process writes.
    Full,
}

pub(crate) struct Console {
    names: Vec<String>,
    width: usize,
    detail: Detail,
    colour: bool,
    /// Processes whose lines are of no interest any more: what they say while they stop is in their logs.
    stopping: BTreeSet<String>,
}

/// ANSI codes that are readable on light and dark ground, one for each process in turn.
const COLOURS: [u8; 6] = [36, 35, 34, 33, 32, 31];

impl Console {
    pub(crate) fn new(programs: &[Program], detail: Detail, colour: bool) -> Self {
        let names: Vec<String> = programs.iter().map(|program| program.name.clone()).collect();
        let width = names.iter().map(String::len).max().unwrap_or_default();
        Self { names, width, detail, colour, stopping: BTreeSet::new() }
    }

    /// The line for an event; `None` where it is too little for the wanted detail.
    pub(crate) fn render(&mut self, event: &Event) -> Option<String> {
        if let Event::Stopping { process } = event {
            self.stopping.insert(process.clone());
        }
        match event {
            Event::Log { process, .. } if self.stopping.contains(process) => None,
            Event::Log { process, line } => self.full(process, format_args!("| {line}")),
            Event::Starting { process } => self.full(process, "starting"),
            Event::Stopping { process } => self.full(process, "stopping"),
            Event::Stopped { process, killed: false } => self.full(process, "stopped"),
            Event::Stopped { process, killed: true } => Some(self.line(process, "did not stop in time: killed")),
            Event::Ready { process, after } => {
                Some(self.line(process, format_args!("ready after {:.1} s", after.as_secs_f64())))
            }
            Event::Crashed { process, status, restart_in } => {
                let seconds = restart_in.as_secs_f64();
                Some(self.line(process, format_args!("crashed ({status}): restarting in {seconds} s")))
            }
        }
    }

    fn full(&self, process: &str, what: impl Display) -> Option<String> {
        (self.detail == Detail::Full).then(|| self.line(process, what))
    }

    fn line(&self, process: &str, what: impl Display) -> String {
        let name = format!("{process:width$}", width = self.width);
        if !self.colour {
            return format!("{name} {what}");
        }
        let position = self.names.iter().position(|name| name == process).unwrap_or_default();
        format!("\x1b[{}m{name}\x1b[0m {what}", COLOURS[position % COLOURS.len()])
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

    use super::{Console, Detail};
    use crate::stack::Event;

    fn console(detail: Detail, colour: bool) -> Console {
        Console {
            names: vec!["temporal".to_owned(), "llm-worker".to_owned()],
            width: 10,
            detail,
            colour,
            stopping: BTreeSet::new(),
        }
    }

    #[test]
    fn every_event_is_a_line_and_a_brief_console_shows_what_matters() {
        let process = || "temporal".to_owned();
        let status = ExitStatus::from_raw(0x700);
        let restart_in = Duration::from_millis(500);
        for (event, line, is_brief) in [
            (Event::Starting { process: process() }, "temporal   starting", false),
            (
                Event::Ready { process: process(), after: Duration::from_millis(1250) },
                "temporal   ready after 1.2 s",
                true,
            ),
            (Event::Log { process: process(), line: "hello".to_owned() }, "temporal   | hello", false),
            (
                Event::Crashed { process: process(), status, restart_in },
                "temporal   crashed (exit status: 7): restarting in 0.5 s",
                true,
            ),
            (Event::Stopping { process: process() }, "temporal   stopping", false),
            (Event::Stopped { process: process(), killed: false }, "temporal   stopped", false),
            (Event::Stopped { process: process(), killed: true }, "temporal   did not stop in time: killed", true),
        ] {
            assert_eq!(console(Detail::Full, false).render(&event).as_deref(), Some(line));
            assert_eq!(console(Detail::Brief, false).render(&event).is_some(), is_brief, "{line}");
        }
    }

    #[test]
    fn what_a_process_says_while_it_stops_is_not_shown() {
        let mut console = console(Detail::Full, false);
        let log = |process: &str| Event::Log { process: process.to_owned(), line: "lost a connection".to_owned() };
        assert!(console.render(&log("temporal")).is_some());
        assert!(console.render(&Event::Stopping { process: "temporal".to_owned() }).is_some());
        assert!(console.render(&log("temporal")).is_none());
        assert!(console.render(&log("llm-worker")).is_some());
    }

    #[test]
    fn names_are_coloured_where_colours_are_wanted() {
        let event = Event::Starting { process: "llm-worker".to_owned() };
        let line = console(Detail::Full, true).render(&event);
        assert_eq!(line.as_deref(), Some("\u{1b}[35mllm-worker\u{1b}[0m starting"));
    }
}
