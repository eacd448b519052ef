//! The embedded stack: Temporal's dev server and the workers as processes of this machine, watched and
//! restarted, started and stopped in order.
//!
//! Everything runs on the caller's thread, in [`Stack::tick`], save for one reader for each process's output.
//! That is no thrift: the kernel kills a child when the thread that started it ends, so the starter has to be the
//! thread that lives longest. What happens is told through [`Event`]s; nothing here prints.

pub(crate) mod console;
pub(crate) mod embedded;
mod event;
pub(crate) mod logs;
pub(crate) mod ports;
mod process;

use std::{
    collections::BTreeSet,
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

pub(crate) use event::Event;
use process::Process;
pub(crate) use process::{Program, Readiness};

/// How often processes are checked when none of them says anything.
const TICK: Duration = Duration::from_millis(25);
/// How long a process may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Processes that are kept running until the stack is stopped or dropped.
pub(crate) struct Stack<'a> {
    processes: Vec<Process>,
    output: Receiver<process::Line>,
    listener: Box<dyn FnMut(&Event) + 'a>,
}

impl<'a> Stack<'a> {
    /// Starts nothing yet: that is what the first [`Stack::tick`] does. A program starts when all programs of the
    /// stages before its own are ready.
    pub(crate) fn new(programs: Vec<Program>, listener: impl FnMut(&Event) + 'a) -> Self {
        let (sender, output) = mpsc::channel();
        let processes = programs.into_iter().enumerate();
        let processes = processes.map(|(index, program)| Process::new(index, program, sender.clone())).collect();
        Self { processes, output, listener: Box::new(listener) }
    }

    /// Looks after every process once, waiting a moment for their output.
    ///
    /// # Errors
    /// A program that cannot be started at all.
    pub(crate) fn tick(&mut self) -> anyhow::Result<()> {
        self.forward_output();
        for index in 0..self.processes.len() {
            let stage = self.processes[index].stage();
            let may_start = self.processes.iter().filter(|process| process.stage() < stage).all(Process::is_ready);
            let event = self.processes[index].supervise(Instant::now(), may_start)?;
            event.iter().for_each(&mut self.listener);
        }
        Ok(())
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.processes.iter().all(Process::is_ready)
    }

    /// The name of a process that crashed so often without getting ready that waiting for it is pointless.
    pub(crate) fn crash_looping(&self) -> Option<&str> {
        self.processes.iter().find(|process| process.is_crash_looping()).map(Process::name)
    }

    /// Stops everything, the last stage first, and waits until nothing is left. Harmless when repeated.
    pub(crate) fn stop(&mut self) {
        let stages: BTreeSet<usize> = self.processes.iter().map(Process::stage).collect();
        for stage in stages.into_iter().rev() {
            self.stop_stage(stage);
        }
    }

    fn stop_stage(&mut self, stage: usize) {
        let in_stage = |process: &&mut Process| process.stage() == stage;
        for process in self.processes.iter_mut().filter(in_stage) {
            process.request_stop().iter().for_each(&mut self.listener);
        }
        let deadline = Instant::now() + GRACE;
        while self.processes.iter().any(|process| process.stage() == stage && process.is_running()) {
            self.forward_output();
            let is_over = Instant::now() >= deadline;
            for process in self.processes.iter_mut().filter(in_stage) {
                process.reap(is_over).iter().for_each(&mut self.listener);
            }
        }
    }

    /// Passes on what the processes wrote, waiting a moment for the first line.
    fn forward_output(&mut self) {
        let first = self.output.recv_timeout(TICK).ok();
        for line in first.into_iter().chain(self.output.try_iter()) {
            let process = &mut self.processes[line.process];
            let ready = process.read_line(&line.text);
            (self.listener)(&Event::Log { process: process.name().to_owned(), line: line.text });
            ready.iter().for_each(&mut self.listener);
        }
    }
}

impl Drop for Stack<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
