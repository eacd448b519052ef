//! A stack that benches measure: Temporal and the workers, with a store of its own, driven by the command line.

pub(crate) mod corpus;
pub(crate) mod memory;
pub(crate) mod python;
pub(crate) mod recordings;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Deserialize;
use tasks::{Interrupt, output::say, process_group::tether};

use crate::{
    setup::Tools,
    stack::{Event, Stack, embedded, ports::Ports},
};

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
    store: PathBuf,
    ports: Ports,
}

impl<'a> BenchStack<'a> {
    /// Starts Temporal and the workers, with all that they write in `folder`.
    pub(crate) fn start(tools: &'a Tools, folder: &Path) -> anyhow::Result<Self> {
        Self::start_all(tools, folder, false)
    }

    /// The HTTP services, too.
    pub(crate) fn start_with_services(tools: &'a Tools, folder: &Path) -> anyhow::Result<Self> {
        Self::start_all(tools, folder, true)
    }

    fn start_all(tools: &'a Tools, folder: &Path, with_services: bool) -> anyhow::Result<Self> {
        let ports = Ports::any()?;
        let store = folder.join("store");
        let mut programs = embedded::programs(tools, ports, &folder.join("temporal.db"), Some(&store))?;
        if with_services {
            programs.extend(embedded::services(tools, ports, Some(&store))?);
        }
        let stack = Stack::new(programs, |event| {
            if let Event::Crashed { process, status, .. } = event {
                say(format_args!("{process} crashed: {status}"));
            }
        });
        let longhand = tools.programs.path("longhand")?;
        let mut bench = Self { stack, interrupt: Interrupt::catch()?, longhand, store, ports };
        while !bench.stack.is_ready() {
            bench.supervise()?;
        }
        Ok(bench)
    }

    fn supervise(&mut self) -> anyhow::Result<()> {
        self.interrupt.check()?;
        if let Some(process) = self.stack.crash_looping() {
            anyhow::bail!("{process} does not start");
        }
        self.stack.tick()
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
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
        command.envs(embedded::environment(self.ports, Some(&self.store)));
        command
    }

    /// Runs a command to its end and gives what it printed, while the stack is supervised.
    pub(crate) fn run(&mut self, command: &mut Command) -> anyhow::Result<Vec<u8>> {
        let printed = self.store.with_file_name("printed");
        command.stdin(Stdio::null()).stdout(File::create(&printed)?).stderr(Stdio::inherit());
        let mut child = tether(command).spawn().with_context(|| format!("{command:?} cannot be run"))?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            self.supervise()?;
        };
        anyhow::ensure!(status.success(), "{command:?} failed: {status}");
        fs::read(&printed).with_context(|| format!("cannot read {}", printed.display()))
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
