//! What happens to the processes of a stack: the whole interface between the supervisor and its printers.

use std::{process::ExitStatus, time::Duration};

#[derive(Debug)]
pub enum Event {
    Starting {
        process: &'static str,
    },
    Ready {
        process: &'static str,
        after: Duration,
    },
    /// A line of the process's stdout or stderr, without its end.
    Log {
        process: &'static str,
        line: String,
    },
    Crashed {
        process: &'static str,
        status: ExitStatus,
        restart_in: Duration,
    },
    Stopping {
        process: &'static str,
    },
    Stopped {
        process: &'static str,
        /// It did not stop when asked, and was killed.
        killed: bool,
    },
}
