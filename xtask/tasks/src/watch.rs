//! Following the output of a program that may be silent for long.

use std::{
    io::{BufReader, Read},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

/// How long the program may be silent until the watcher is called without a line.
const TICK: Duration = Duration::from_secs(1);

/// Calls `watcher` with every line of the output until it ends, and without one whenever a second has passed in silence.
/// A line ends with a line feed or, as progress bars do, with a carriage return.
pub fn watch(output: impl Read + Send + 'static, mut watcher: impl FnMut(Option<&str>)) {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || read(output, &sender));
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => watcher(Some(&line)),
            Err(RecvTimeoutError::Timeout) => watcher(None),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Output that cannot be read any more has ended for the watcher, too.
fn read(output: impl Read, lines: &Sender<String>) {
    let mut line = Vec::new();
    for byte in BufReader::new(output).bytes().map_while(Result::ok) {
        if !matches!(byte, b'\n' | b'\r') {
            line.push(byte);
        } else if !line.is_empty() {
            lines.send(String::from_utf8_lossy(&line).into_owned()).ok();
            line.clear();
        }
    }
    if !line.is_empty() {
        lines.send(String::from_utf8_lossy(&line).into_owned()).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::watch;

    #[test]
    fn lines_and_progress_bars_arrive_one_by_one() {
        let mut lines = Vec::new();
        watch(&b"one\ntwo 1/2\rtwo 2/2\r\nlast"[..], |line| lines.extend(line.map(str::to_owned)));
        assert_eq!(lines, ["one", "two 1/2", "two 2/2", "last"]);
    }
}
