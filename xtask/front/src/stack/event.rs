//! What happens to the processes of a stack: the whole interface between the supervisor and its printers.

use std::{process::ExitStatus, time::Duration};

#[derive(Debug)]
pub(crate) enum Event {
    Starting {
        process: String,
    },
    Ready {
        process: String,
        after: Duration,
    },
    /// A line of the process's stdout or stderr, without its end.
    Log {
        process: String,
        line: String,
    },
    Crashed {
        process: String,
        status: ExitStatus,
        restart_in: Duration,
    },
    Stopping {
        process: String,
    },
    Stopped {
        process: String,
        /// It did not stop when asked, and was killed.
        killed: bool,
    },
}
