//! One process of the stack: started, watched, restarted and stopped.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::Sender,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use tasks::process_group::{has_ended, kill_group, terminate_group, tether};

use super::event::Event;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A process that was ready for that long has earned a quick restart again.
const STABLE_AFTER: Duration = Duration::from_secs(60);
/// Crashes in a row without getting ready after which a process is given up by those who wait for it.
const CRASH_LOOP: u32 = 3;

/// How to run a program, and how to tell that it serves.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(String, OsString)>,
    pub(crate) readiness: Readiness,
    /// Lower stages are ready before higher ones start, and stop after them.
    pub(crate) stage: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Readiness {
    /// It accepts connections on that port of this machine.
    Port(u16),
    /// It writes a line that contains this.
    Line(&'static str),
}

/// A line that a process wrote.
pub(super) struct Line {
    /// The process's position in the stack.
    pub(super) process: usize,
    pub(super) text: String,
}

pub(super) struct Process {
    index: usize,
    program: Program,
    output: Sender<Line>,
    state: State,
    /// Crashes in a row, none of them after a stable time.
    crashes: u32,
}

enum State {
    /// Not running; to be started from that moment on.
    Due(Instant),
    Running {
        child: Child,
        since: Instant,
        is_ready: bool,
    },
    Stopped,
}

impl Process {
    pub(super) fn new(index: usize, program: Program, output: Sender<Line>) -> Self {
        Self { index, program, output, state: State::Due(Instant::now()), crashes: 0 }
    }

    pub(super) fn name(&self) -> &str {
        &self.program.name
    }

    pub(super) fn stage(&self) -> usize {
        self.program.stage
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.state, State::Running { is_ready: true, .. })
    }

    pub(super) fn is_crash_looping(&self) -> bool {
        self.crashes >= CRASH_LOOP
    }

    /// Starts what is due, notices what ended or got ready.
    pub(super) fn supervise(&mut self, now: Instant, may_start: bool) -> anyhow::Result<Option<Event>> {
        match &mut self.state {
            State::Due(at) if may_start && now >= *at => self.start().map(Some),
            State::Due(_) | State::Stopped => Ok(None),
            State::Running { child, since, is_ready } if has_ended(child) => {
                let was_stable = *is_ready && now.duration_since(*since) >= STABLE_AFTER;
                let status = kill_group(child)?;
                Ok(Some(self.crashed(status, was_stable, now)))
            }
            State::Running { is_ready: false, .. } => Ok(self.probe()),
            State::Running { .. } => Ok(None),
        }
    }

    /// Takes in a line of the process's output.
    pub(super) fn read_line(&mut self, line: &str) -> Option<Event> {
        match self.program.readiness {
            Readiness::Line(sign) if line.contains(sign) => self.become_ready(),
            Readiness::Line(_) | Readiness::Port(_) => None,
        }
    }

    pub(super) fn request_stop(&mut self) -> Option<Event> {
        let State::Running { child, .. } = &self.state else {
            self.state = State::Stopped;
            return None;
        };
        terminate_group(child);
        Some(Event::Stopping { process: self.program.name.clone() })
    }

    /// Takes leave of a process that was asked to stop: when it has ended, or at once when its time is over.
    pub(super) fn reap(&mut self, is_over: bool) -> Option<Event> {
        let State::Running { child, .. } = &mut self.state else { return None };
        let killed = !has_ended(child);
        if killed && !is_over {
            return None;
        }
        kill_group(child).ok();
        self.state = State::Stopped;
        Some(Event::Stopped { process: self.program.name.clone(), killed })
    }

    fn start(&mut self) -> anyhow::Result<Event> {
        let Program { name, path, arguments, environment, .. } = &self.program;
        let mut command = Command::new(path);
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Settings of another Temporal server must not lead a process of this stack there.
        let foreign = std::env::vars_os().map(|(name, _)| name);
        let foreign = foreign.filter(|name| name.as_encoded_bytes().starts_with(b"TEMPORAL_"));
        for variable in foreign.filter(|name| !environment.iter().any(|(ours, _)| name == ours.as_str())) {
            command.env_remove(variable);
        }
        let mut child =
            tether(&mut command).spawn().with_context(|| format!("{name} cannot be started: {}", path.display()))?;
        child.stdout.take().into_iter().for_each(|stdout| self.read(stdout));
        child.stderr.take().into_iter().for_each(|stderr| self.read(stderr));
        self.state = State::Running { child, since: Instant::now(), is_ready: false };
        Ok(Event::Starting { process: self.program.name.clone() })
    }

    /// The reader ends with the process's output; a stack that is gone is no reason to stop reading.
    fn read(&self, output: impl Read + Send + 'static) {
        let (process, sender) = (self.index, self.output.clone());
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                sender.send(Line { process, text }).ok();
            }
        });
    }

    /// An end that nobody asked for.
    fn crashed(&mut self, status: ExitStatus, was_stable: bool, now: Instant) -> Event {
        if was_stable {
            self.crashes = 0;
        }
        let restart_in = (FIRST_PAUSE * 2_u32.saturating_pow(self.crashes)).min(LONGEST_PAUSE);
        self.crashes += 1;
        self.state = State::Due(now + restart_in);
        Event::Crashed { process: self.program.name.clone(), status, restart_in }
    }

    fn probe(&mut self) -> Option<Event> {
        let Readiness::Port(port) = self.program.readiness else { return None };
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        self.become_ready()
    }

    fn become_ready(&mut self) -> Option<Event> {
        let State::Running { since, is_ready, .. } = &mut self.state else { return None };
        if std::mem::replace(is_ready, true) {
            return None;
        }
        Some(Event::Ready { process: self.program.name.clone(), after: since.elapsed() })
    }
}
