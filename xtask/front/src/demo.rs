//! `cargo xtask demo`: from a bare machine to a transcript and its summary, and nothing left running.

mod report;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use anyhow::{Context, bail};
use tasks::{
    Halt, Interrupt,
    output::{print, say, wants_colour},
    process_group::{kill_group, tether},
};

use crate::{
    flags::DemoFlags,
    programs::JOB_PROGRAMS,
    setup::{self, Tools},
    stack::{
        Stack,
        console::{Console, Detail},
        embedded,
        logs::{self, LogFiles},
        ports::Ports,
    },
    workspace,
};

const SAMPLE: &str = "samples/jfk.flac";
/// Lines of a process's log that are shown when it does not come up.
const LOG_LINES: usize = 20;

pub(crate) fn run(flags: &DemoFlags) -> anyhow::Result<()> {
    let audio = audio(flags)?;
    let tools = setup::run(&JOB_PROGRAMS)?;
    // A fresh home for each demo: what is measured is never what an earlier one left.
    let home = tempfile::Builder::new().prefix("longhand-demo-").tempdir().context("no temporary folder")?;
    let demo = Demo { tools, ports: Ports::any()?, home: home.path() };
    demo.run(&audio, flags)
}

/// The recording's full path. A wrong one is noticed before anything is set up.
fn audio(flags: &DemoFlags) -> anyhow::Result<PathBuf> {
    let audio = flags.audio.clone().unwrap_or_else(|| workspace::root().join(SAMPLE));
    let is_file = audio.is_file();
    let missing =
        || Halt::ActionRequired(format!("there is no recording {}: name one with --audio FILE", audio.display()));
    if is_file { Ok(fs::canonicalize(&audio)?) } else { Err(missing().into()) }
}

struct Demo<'a> {
    tools: Tools,
    ports: Ports,
    /// The folder of everything that this run leaves, gone when it ends.
    home: &'a Path,
}

impl Demo<'_> {
    fn run(&self, audio: &Path, flags: &DemoFlags) -> anyhow::Result<()> {
        let programs =
            embedded::programs(&self.tools, self.ports, &self.home.join("temporal.db"), Some(&self.store()))?;
        let mut logs = LogFiles::create(&self.logs(), &programs)?;
        let mut console = Console::new(&programs, Detail::Brief, wants_colour());
        let interrupt = Interrupt::catch()?;
        let mut stack = Stack::new(programs, |event| {
            console.render(event).iter().for_each(|line| say(format_args!("{line}")));
            logs.write(event);
        });
        self.await_ready(&mut stack, &interrupt)?;
        let result = self.transcribe(audio, &mut stack, &interrupt)?;
        let web = embedded::web_interface(self.ports);
        print(&if flags.json { result } else { report::render(&result, &web)? })?;
        if flags.keep {
            say(format_args!("staying up until Ctrl-C: {web}"));
            while !interrupt.is_raised() {
                stack.tick()?;
            }
        }
        stack.stop();
        Ok(())
    }

    fn await_ready(&self, stack: &mut Stack<'_>, interrupt: &Interrupt) -> anyhow::Result<()> {
        while !stack.is_ready() {
            interrupt.check()?;
            stack.tick()?;
            if let Some(process) = stack.crash_looping() {
                let log = logs::tail(&self.logs(), process, LOG_LINES);
                bail!("{process} does not come up; the end of its log:\n{log}");
            }
        }
        Ok(())
    }

    /// Runs the job as any user would, and gives what the command prints.
    fn transcribe(&self, audio: &Path, stack: &mut Stack<'_>, interrupt: &Interrupt) -> anyhow::Result<String> {
        let mut command = Command::new(self.tools.programs.path("longhand")?);
        command.arg("transcribe").arg(audio).args(["--llm", "summary", "--json"]);
        command.envs(embedded::environment(self.ports, Some(&self.store())));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut job = tether(&mut command).spawn().context("longhand cannot be run")?;
        let printed = job.stdout.take().map(|stdout| thread::spawn(|| io::read_to_string(stdout)));
        let status = follow(&mut job, stack, interrupt);
        if status.is_err() {
            kill_group(&mut job).context("the job's command cannot be stopped")?;
        }
        let printed = printed.and_then(|reader| reader.join().ok()).transpose()?.unwrap_or_default();
        let status = status?;
        if status.success() { Ok(printed) } else { Err(Halt::of("longhand transcribe", status).into()) }
    }

    fn store(&self) -> PathBuf {
        self.home.join("store")
    }

    fn logs(&self) -> PathBuf {
        self.home.join("logs")
    }
}

/// Keeps the stack up until the job's command has ended.
fn follow(job: &mut Child, stack: &mut Stack<'_>, interrupt: &Interrupt) -> anyhow::Result<ExitStatus> {
    loop {
        interrupt.check()?;
        stack.tick()?;
        if let Some(status) = job.try_wait()? {
            return Ok(status);
        }
    }
}
