//! A program that is kept running: started, restarted after a crash, and stopped.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::Context;

use crate::{Event, Process, Program, log_path};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A process that was ready for that long has earned a quick restart again.
const STABLE_AFTER: Duration = Duration::from_secs(60);
/// Crashes in a row without getting ready after which a process is given up by those who wait for it.
const CRASH_LOOP: u32 = 3;

pub(crate) struct Supervised {
    program: Program,
    log: PathBuf,
    state: State,
    /// Crashes in a row, none of them after a stable time.
    crashes: u32,
}

enum State {
    /// Not running; to be started from that moment on.
    Due(Instant),
    Running {
        process: Process,
        since: Instant,
    },
    Stopped,
}

impl Supervised {
    /// Begins a new log in the folder; that of the run before is gone.
    pub(crate) fn new(program: Program, logs: &Path) -> anyhow::Result<Self> {
        let log = log_path(logs, program.name);
        File::create(&log).with_context(|| format!("cannot write the log {}", log.display()))?;
        Ok(Self { program, log, state: State::Due(Instant::now()), crashes: 0 })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.program.name
    }

    pub(crate) fn stage(&self) -> usize {
        self.program.stage
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(&self.state, State::Running { process, .. } if process.is_ready())
    }

    pub(crate) fn is_crash_looping(&self) -> bool {
        self.crashes >= CRASH_LOOP
    }

    /// Starts what is due, notices what was written, got ready or ended.
    pub(crate) fn supervise(&mut self, may_start: bool, tell: &mut dyn FnMut(&Event)) -> anyhow::Result<()> {
        match &self.state {
            State::Due(at) if may_start && Instant::now() >= *at => self.start(tell),
            State::Due(_) | State::Stopped => Ok(()),
            State::Running { .. } => self.watch(tell),
        }
    }

    pub(crate) fn request_stop(&mut self, tell: &mut dyn FnMut(&Event)) {
        match &self.state {
            State::Running { process, .. } => {
                process.terminate();
                tell(&Event::Stopping { process: self.name() });
            }
            State::Due(_) | State::Stopped => self.state = State::Stopped,
        }
    }

    /// Takes leave of a process that was asked to stop: when it has ended, or at once when its time is over.
    pub(crate) fn reap(&mut self, is_over: bool, tell: &mut dyn FnMut(&Event)) {
        let State::Running { process, .. } = &self.state else { return };
        let killed = !process.has_ended();
        if killed && !is_over {
            return;
        }
        // What it started is killed with it.
        self.state = State::Stopped;
        tell(&Event::Stopped { process: self.name(), killed });
    }

    fn start(&mut self, tell: &mut dyn FnMut(&Event)) -> anyhow::Result<()> {
        let Program { name, path, readiness, .. } = &self.program;
        let process = Process::start(self.program.command(), &self.log, *readiness)
            .with_context(|| format!("{name} cannot be started: {}", path.display()))?;
        self.state = State::Running { process, since: Instant::now() };
        tell(&Event::Starting { process: self.name() });
        Ok(())
    }

    fn watch(&mut self, tell: &mut dyn FnMut(&Event)) -> anyhow::Result<()> {
        let name = self.name();
        let State::Running { process, since } = &mut self.state else { return Ok(()) };
        let (was_ready, has_ended) = (process.is_ready(), process.has_ended());
        let lines = process.poll().with_context(|| format!("cannot read the log {}", self.log.display()))?;
        lines.into_iter().for_each(|line| tell(&Event::Log { process: name, line }));
        if !was_ready && process.is_ready() {
            tell(&Event::Ready { process: name, after: since.elapsed() });
        }
        if has_ended {
            let was_stable = was_ready && since.elapsed() >= STABLE_AFTER;
            let status = process.kill()?;
            tell(&self.crashed(status, was_stable));
        }
        Ok(())
    }

    /// An end that nobody asked for.
    fn crashed(&mut self, status: ExitStatus, was_stable: bool) -> Event {
        if was_stable {
            self.crashes = 0;
        }
        let restart_in = (FIRST_PAUSE * 2_u32.saturating_pow(self.crashes)).min(LONGEST_PAUSE);
        self.crashes += 1;
        self.state = State::Due(Instant::now() + restart_in);
        Event::Crashed { process: self.name(), status, restart_in }
    }
}
