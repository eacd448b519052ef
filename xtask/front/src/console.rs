//! The processes' health and output for the user's eyes, a line for each event.

use std::fmt::Display;

use supervisor::{Event, Program};
use tasks::output::{say, wants_colour};

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Readiness and crashes only.
    Brief,
    /// Every change of health, and every line that a process writes.
    Full,
}

pub(crate) struct Console {
    names: Vec<&'static str>,
    width: usize,
    detail: Detail,
    colour: bool,
}

/// ANSI codes that are readable on light and dark ground, one for each process in turn.
const COLOURS: [u8; 6] = [36, 35, 34, 33, 32, 31];

impl Console {
    pub(crate) fn new(programs: &[Program], detail: Detail) -> Self {
        let names: Vec<&str> = programs.iter().map(|program| program.name).collect();
        let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
        Self { names, width, detail, colour: wants_colour() }
    }

    pub(crate) fn show(&self, event: &Event) {
        if let Some(line) = self.render(event) {
            say(format_args!("{line}"));
        }
    }

    /// The line for an event; `None` where it is too little for the wanted detail.
    fn render(&self, event: &Event) -> Option<String> {
        match event {
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
        let position = self.names.iter().position(|name| *name == process).unwrap_or_default();
        format!("\x1b[{}m{name}\x1b[0m {what}", COLOURS[position % COLOURS.len()])
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

    use supervisor::Event;

    use super::{Console, Detail};

    fn console(detail: Detail, colour: bool) -> Console {
        Console { names: vec!["temporal", "llm-worker"], width: 10, detail, colour }
    }

    #[test]
    fn every_event_is_a_line_and_a_brief_console_shows_what_matters() {
        let process = "temporal";
        let status = ExitStatus::from_raw(0x700);
        let restart_in = Duration::from_millis(500);
        for (event, line, is_brief) in [
            (Event::Starting { process }, "temporal   starting", false),
            (Event::Ready { process, after: Duration::from_millis(1250) }, "temporal   ready after 1.2 s", true),
            (Event::Log { process, line: "hello".to_owned() }, "temporal   | hello", false),
            (
                Event::Crashed { process, status, restart_in },
                "temporal   crashed (exit status: 7): restarting in 0.5 s",
                true,
            ),
            (Event::Stopping { process }, "temporal   stopping", false),
            (Event::Stopped { process, killed: false }, "temporal   stopped", false),
            (Event::Stopped { process, killed: true }, "temporal   did not stop in time: killed", true),
        ] {
            assert_eq!(console(Detail::Full, false).render(&event).as_deref(), Some(line));
            assert_eq!(console(Detail::Brief, false).render(&event).is_some(), is_brief, "{line}");
        }
    }

    #[test]
    fn names_are_coloured_where_colours_are_wanted() {
        let event = Event::Starting { process: "llm-worker" };
        let line = console(Detail::Full, true).render(&event);
        assert_eq!(line.as_deref(), Some("\u{1b}[35mllm-worker\u{1b}[0m starting"));
    }
}
