//! A running ffmpeg: what it may use, what it writes, and how it ends.

use std::{
    io::{self, ErrorKind, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{self, Command, Stdio},
    sync::{
        LazyLock, Mutex,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use engine::native_env::{MemoryPolicy, child_environment};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// Silence after which it is killed. It decodes a minute of sound in less than a second.
const STALL: Duration = Duration::from_secs(60);
/// Of its libraries' code and its own, mapped. What it may write to is bounded apart.
const ADDRESS_SPACE: u64 = 2 << 30;
/// Memory that it can fill.
const MEMORY: u64 = 256 << 20;
/// Time on a core for any file, and more for each byte of it: a megabyte may hold hours of speech.
const LEAST_CPU_S: u64 = 60;
const CPU_S_PER_MEGABYTE: u64 = 30;
/// Exit codes of `unshare` for a program that cannot be run, and for one that there is not.
const NOT_STARTED: [i32; 2] = [126, 127];
/// What is kept of its complaints: those that come after the first are mostly its consequences.
const MOST_WORDS: usize = 64 << 10;
/// Bytes of output that are read at once, and pieces of it that may wait.
const PIECE: usize = 64 << 10;
const PIECES: usize = 4;
/// Complaints that a recording may cause and be heard in full all the same.
const TOLERATED_COMPLAINTS: usize = 10;

/// A process that ends with this.
pub(in super::super) struct Child {
    process: process::Child,
    words: Option<JoinHandle<String>>,
}

/// What it writes, as it comes.
pub(in super::super) struct Output {
    // Demuxers want to be shared between threads, which nobody does.
    pieces: Mutex<Receiver<io::Result<Vec<u8>>>>,
    piece: Vec<u8>,
    read: usize,
}

/// The program in a network of its own that leads nowhere, where the system allows that. It gets none of the worker's
/// secrets.
pub(super) fn sandboxed(program: &Path) -> Command {
    let mut command = if *CAN_UNSHARE {
        let mut command = Command::new("unshare");
        command.args(WITHOUT_NETWORK).arg(program);
        command
    } else {
        Command::new(program)
    };
    // Ctrl-C and a service manager's signals are for the worker.
    command
        .process_group(0)
        .env_clear()
        .envs(child_environment(MemoryPolicy::ReturnFreedMemory))
        .env("MALLOC_ARENA_MAX", "1");
    command
}

const WITHOUT_NETWORK: [&str; 3] = ["--user", "--net", "--"];

static CAN_UNSHARE: LazyLock<bool> = LazyLock::new(|| {
    let mut command = Command::new("unshare");
    command.args(WITHOUT_NETWORK).arg("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
});

/// Starts it with limits that suit a file of so many bytes.
pub(super) fn limited(mut command: Command, file_length: u64) -> io::Result<(Output, Child)> {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
    let words = stderr.map(|stderr| thread::spawn(move || read_words(stderr)));
    let child = Child { process, words };
    limit(&child.process, file_length)?;
    let (sender, pieces) = sync_channel(PIECES);
    if let Some(mut stdout) = stdout {
        thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let read = stdout.read(&mut piece).map(|length| {
                    piece.truncate(length);
                    piece
                });
                let is_last = read.as_ref().map_or(true, Vec::is_empty);
                // Where nobody listens any more, the process is being killed.
                if sender.send(read).is_err() || is_last {
                    return;
                }
            }
        });
    }
    Ok((Output { pieces: Mutex::new(pieces), piece: Vec::new(), read: 0 }, child))
}

fn limit(process: &process::Child, file_length: u64) -> io::Result<()> {
    let cpu_s = LEAST_CPU_S + CPU_S_PER_MEGABYTE * (file_length >> 20);
    for (resource, most) in [
        (Resource::Cpu, cpu_s),
        (Resource::As, ADDRESS_SPACE),
        (Resource::Data, MEMORY),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ] {
        let most = Rlimit { current: Some(most), maximum: Some(most) };
        match prlimit(Some(Pid::from_child(process)), resource, most) {
            // One that has ended already needs no limits.
            Ok(_) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn read_words(mut stderr: impl Read) -> String {
    let mut words = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut piece) {
        // What there is no room for is read all the same, or the process would wait for ever.
        let room = MOST_WORDS - words.len();
        words.extend_from_slice(&piece[..length.min(room)]);
    }
    String::from_utf8_lossy(&words).into_owned()
}

impl Child {
    /// All that it said, once it has ended.
    pub(super) fn words(&mut self) -> String {
        self.words.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
    }

    /// Whether there was such a program: `unshare` cannot start one that there is not.
    pub(super) fn was_started(&mut self) -> io::Result<bool> {
        let code = self.process.wait()?.code();
        Ok(!code.is_some_and(|code| NOT_STARTED.contains(&code)))
    }

    /// What it complained of, once its output has ended: that it was killed, or that much could not be decoded. Less
    /// is tolerated where some of the recording is missing.
    pub(in super::super) fn complaint(&mut self, is_short: bool) -> Option<String> {
        let words = self.words();
        let mut complaints = words.lines().filter(|line| !line.trim().is_empty());
        let first = complaints.next().map(without_origin);
        match self.process.wait() {
            Ok(status) if status.success() => {
                first.filter(|_| is_short || complaints.count() >= TOLERATED_COMPLAINTS).map(str::to_owned)
            }
            Ok(status) => Some(first.map_or_else(|| format!("ffmpeg ended with {status}"), str::to_owned)),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// A complaint without the part of ffmpeg that makes it, as in `[ac3 @ 0x5581] frame sync error`.
fn without_origin(line: &str) -> &str {
    let complaint = match line.split_once("] ") {
        Some((origin, complaint)) if origin.starts_with('[') => complaint,
        _ => line,
    };
    complaint.trim_end_matches('.')
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only where the process has ended, and then nothing is left to do.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            let pieces = self.pieces.get_mut().map_err(|_| ErrorKind::Other)?;
            self.piece = match pieces.recv_timeout(STALL) {
                Ok(piece) => piece?,
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
                Err(RecvTimeoutError::Timeout) => {
                    let message = format!("ffmpeg gave nothing for {} s", STALL.as_secs());
                    return Err(io::Error::new(ErrorKind::TimedOut, message));
                }
            };
            self.read = 0;
        }
        let length = buffer.len().min(self.piece.len() - self.read);
        buffer[..length].copy_from_slice(&self.piece[self.read..self.read + length]);
        self.read += length;
        Ok(length)
    }
}
