//! A stack that benches measure: Temporal and the workers, with a store of its own, driven by the command line.

pub(crate) mod corpus;
pub(crate) mod memory;
pub(crate) mod python;
pub(crate) mod recordings;

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Deserialize;
use supervisor::{
    Embedded, Event, Ports, Stack,
    embedded::{SERVICES, WORKERS},
};
use tasks::{Interrupt, output::say};

use crate::{programs::LONGHAND, setup::Tools};

/// How often a job is polled.
const POLL: Duration = Duration::from_millis(50);

/// What `longhand show` tells of a job.
#[derive(Deserialize)]
pub(crate) struct Shown {
    pub(crate) chunks_done: u32,
    /// 0 until the whole recording is segmented; it is being recognised meanwhile.
    pub(crate) duration_s: f64,
}

/// Stops with this value.
pub(crate) struct BenchStack<'a> {
    stack: Stack<'a>,
    interrupt: Interrupt,
    longhand: &'a Path,
    embedded: Embedded,
    store: PathBuf,
}

impl<'a> BenchStack<'a> {
    /// Starts Temporal and the workers, with all that they write in `folder`.
    pub(crate) fn start(tools: &'a Tools, folder: &Path) -> anyhow::Result<Self> {
        Self::start_all(tools, folder, &WORKERS)
    }

    /// The HTTP services, too.
    pub(crate) fn start_with_services(tools: &'a Tools, folder: &Path) -> anyhow::Result<Self> {
        Self::start_all(tools, folder, &[&WORKERS[..], &SERVICES].concat())
    }

    fn start_all(tools: &'a Tools, folder: &Path, names: &[&'static str]) -> anyhow::Result<Self> {
        let store = folder.join("store");
        let embedded =
            Embedded { ports: Ports::any()?, database: folder.join("temporal.db"), store: Some(store.clone()) };
        let mut stack = Stack::new(tools.stack(&embedded, names)?, &folder.join("logs"), |event| {
            if let Event::Crashed { process, status, .. } = event {
                say(format_args!("{process} crashed: {status}"));
            }
        })?;
        let interrupt = Interrupt::catch()?;
        stack.await_ready(&interrupt)?;
        Ok(Self { stack, interrupt, longhand: tools.programs.path(LONGHAND)?, embedded, store })
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    pub(crate) fn embedded(&self) -> &Embedded {
        &self.embedded
    }

    pub(crate) fn store(&self) -> &Path {
        &self.store
    }

    /// The command line, set up for this stack.
    pub(crate) fn longhand(&self) -> Command {
        self.set_up(Command::new(self.longhand))
    }

    /// A program that is to find this stack.
    pub(crate) fn set_up(&self, mut command: Command) -> Command {
        command.envs(self.embedded.environment());
        command
    }

    /// Runs a command to its end and gives what it printed, while the stack is supervised.
    pub(crate) fn run(&mut self, command: &mut Command) -> anyhow::Result<Vec<u8>> {
        let output = self.stack.run(command, &self.interrupt)?;
        anyhow::ensure!(output.status.success(), "{command:?} failed: {}", output.status);
        Ok(output.stdout)
    }

    /// Submits a recording as job `id`, and polls it until it is so far. Gives the seconds until then; it goes on.
    pub(crate) fn submit_until(&mut self, audio: &Path, id: &str, so_far: fn(&Shown) -> bool) -> anyhow::Result<f64> {
        let started = Instant::now();
        let mut submit = self.longhand();
        self.run(submit.args(["transcribe", "--language", "en", "--detach", "--id", id]).arg(audio))?;
        loop {
            let mut show = self.longhand();
            let shown = serde_json::from_slice(&self.run(show.args(["show", id, "--json"]))?)
                .context("what longhand shows of a job is not understood")?;
            if so_far(&shown) {
                return Ok(started.elapsed().as_secs_f64());
            }
            thread::sleep(POLL);
        }
    }

    pub(crate) fn cancel(&mut self, id: &str) -> anyhow::Result<()> {
        let mut cancel = self.longhand();
        self.run(cancel.args(["cancel", id])).map(drop)
    }

    pub(crate) fn stop(mut self) {
        self.stack.stop();
    }
}
