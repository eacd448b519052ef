//! `cargo xtask demo`: from a bare machine to a transcript and its summary, and nothing left running.

mod report;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use supervisor::{Embedded, Ports, Stack, embedded::WORKERS};
use tasks::{
    Halt, Interrupt,
    output::{print, say},
};

use crate::{
    console::{Console, Detail},
    flags::DemoFlags,
    programs::{JOB_PROGRAMS, LONGHAND},
    setup::{self, Tools},
    workspace,
};

pub(crate) fn run(flags: &DemoFlags) -> anyhow::Result<()> {
    let audio = audio(flags)?;
    let tools = setup::run(&JOB_PROGRAMS)?;
    // A fresh home for each demo: what is measured is never what an earlier one left.
    let home = tempfile::Builder::new().prefix("longhand-demo-").tempdir().context("no temporary folder")?;
    let home = home.path();
    let store = Some(home.join("store"));
    let embedded = Embedded { ports: Ports::any()?, database: home.join("temporal.db"), store };
    let programs = tools.stack(&embedded, &WORKERS)?;
    let console = Console::new(&programs, Detail::Brief);
    let interrupt = Interrupt::catch()?;
    let mut stack = Stack::new(programs, &home.join("logs"), |event| console.show(event))?;
    stack.await_ready(&interrupt)?;
    let result = transcribe(&audio, &tools, &embedded, &mut stack, &interrupt)?;
    let web = embedded.web_interface();
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

/// The recording's full path. A wrong one is noticed before anything is set up.
fn audio(flags: &DemoFlags) -> anyhow::Result<PathBuf> {
    let audio = flags.audio.clone().unwrap_or_else(workspace::sample);
    let is_file = audio.is_file();
    let missing =
        || Halt::ActionRequired(format!("there is no recording {}: name one with --audio FILE", audio.display()));
    if is_file { Ok(fs::canonicalize(&audio)?) } else { Err(missing().into()) }
}

/// Runs the job as any user would, and gives what the command prints.
fn transcribe(
    audio: &Path,
    tools: &Tools,
    embedded: &Embedded,
    stack: &mut Stack<'_>,
    interrupt: &Interrupt,
) -> anyhow::Result<String> {
    let mut command = Command::new(tools.programs.path(LONGHAND)?);
    command.arg("transcribe").arg(audio).args(["--llm", "summary", "--json"]).envs(embedded.environment());
    let output = stack.run(&mut command, interrupt)?;
    if !output.status.success() {
        return Err(Halt::of("longhand transcribe", output.status).into());
    }
    String::from_utf8(output.stdout).context("longhand's result is no text")
}
