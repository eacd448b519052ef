//! Programs that are kept running together, started and stopped in order.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tasks::{
    Interrupt, last_lines,
    process_group::{kill_group, tether},
};

use crate::{Event, Program, supervised::Supervised};

/// How often processes are checked.
const TICK: Duration = Duration::from_millis(25);
/// How long a process may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(10);
/// Lines of a process's log that are shown when it does not come up.
const LOG_LINES: usize = 20;

/// Programs that are kept running until the stack is stopped or dropped. All of it happens on the caller's thread, in
/// [`Stack::tick`].
pub struct Stack<'a> {
    processes: Vec<Supervised>,
    listener: Box<dyn FnMut(&Event) + 'a>,
}

impl<'a> Stack<'a> {
    /// Starts nothing yet: that is what the first [`Stack::tick`] does. A program starts when all programs of the
    /// stages before its own are ready. What they write goes to files in the folder `logs`, and to the listener.
    ///
    /// # Errors
    /// Logs that cannot be written.
    pub fn new(programs: Vec<Program>, logs: &Path, listener: impl FnMut(&Event) + 'a) -> anyhow::Result<Self> {
        fs::create_dir_all(logs).with_context(|| format!("cannot create the folder {}", logs.display()))?;
        let processes = programs.into_iter().map(|program| Supervised::new(program, logs));
        Ok(Self { processes: processes.collect::<Result<_, _>>()?, listener: Box::new(listener) })
    }

    /// Waits a moment, then looks after every process once.
    ///
    /// # Errors
    /// A program that cannot be started at all.
    pub fn tick(&mut self) -> anyhow::Result<()> {
        thread::sleep(TICK);
        for index in 0..self.processes.len() {
            let stage = self.processes[index].stage();
            let may_start = self.processes.iter().filter(|process| process.stage() < stage).all(Supervised::is_ready);
            self.processes[index].supervise(may_start, &mut self.listener)?;
        }
        Ok(())
    }

    pub fn is_ready(&self) -> bool {
        self.processes.iter().all(Supervised::is_ready)
    }

    /// Waits until everything is ready.
    ///
    /// # Errors
    /// A program that does not come up, with the end of its log; [`Halt::Interrupted`](tasks::Halt).
    pub fn await_ready(&mut self, interrupt: &Interrupt) -> anyhow::Result<()> {
        while !self.is_ready() {
            self.tick_unless_in_vain(interrupt)?;
        }
        Ok(())
    }

    /// Runs a command to its end, while the stack is kept up. Gives how it ended, and what it wrote to stdout.
    ///
    /// # Errors
    /// A command that cannot be run; a stack that does not stay up; [`Halt::Interrupted`](tasks::Halt).
    pub fn run(&mut self, command: &mut Command, interrupt: &Interrupt) -> anyhow::Result<Output> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = tether(command).spawn().with_context(|| format!("{command:?} cannot be run"))?;
        let stdout = child.stdout.take().map(|stdout| thread::spawn(|| read(stdout)));
        let status = self.follow(&mut child, interrupt);
        if status.is_err() {
            kill_group(&mut child).with_context(|| format!("{command:?} cannot be stopped"))?;
        }
        let stdout = stdout.and_then(|reader| reader.join().ok()).transpose()?.unwrap_or_default();
        Ok(Output { status: status?, stdout, stderr: Vec::new() })
    }

    /// Stops everything, the last stage first, and waits until nothing is left. Harmless when repeated.
    pub fn stop(&mut self) {
        let stages: BTreeSet<usize> = self.processes.iter().map(Supervised::stage).collect();
        for stage in stages.into_iter().rev() {
            self.stop_stage(stage);
        }
    }

    fn follow(&mut self, child: &mut Child, interrupt: &Interrupt) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            self.tick_unless_in_vain(interrupt)?;
        }
    }

    /// As [`Stack::tick`], for those who wait for something that the processes do.
    fn tick_unless_in_vain(&mut self, interrupt: &Interrupt) -> anyhow::Result<()> {
        interrupt.check()?;
        if let Some(process) = self.processes.iter().find(|process| process.is_crash_looping()) {
            let log = last_lines(process.log(), LOG_LINES);
            bail!("{} does not come up; the end of its log:\n{log}", process.name());
        }
        self.tick()
    }

    /// What processes write while they stop is in their logs, and of no interest to the listener.
    fn stop_stage(&mut self, stage: usize) {
        let in_stage = self.processes.iter_mut().filter(|process| process.stage() == stage);
        let mut stopping: Vec<&mut Supervised> = in_stage.collect();
        stopping.iter_mut().for_each(|process| process.request_stop(&mut self.listener));
        let deadline = Instant::now() + GRACE;
        while stopping.iter().any(|process| process.is_running()) {
            thread::sleep(TICK);
            let is_over = Instant::now() >= deadline;
            stopping.iter_mut().for_each(|process| process.reap(is_over, &mut self.listener));
        }
    }
}

impl Drop for Stack<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn read(mut output: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    output.read_to_end(&mut bytes)?;
    Ok(bytes)
}
