//! Runs programs for a bench: timed, with their output in a log, and stopped at once on Ctrl-C.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tasks::{
    Interrupt, last_lines,
    output::say,
    process_group::{kill_group, tether},
};

/// The time that an interrupted program has to end by itself.
const LEAVE: Duration = Duration::from_secs(10);
/// The lines of a log that are shown when its program fails.
pub(super) const SHOWN_LINES: usize = 20;

/// Runs the command to its end and gives the time that it took.
pub(super) fn run_timed(command: &mut Command, log: &Path, interrupt: &Interrupt) -> Result<Duration> {
    let output = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let started = Instant::now();
    let mut child = tether(command).spawn().with_context(|| format!("{} cannot be run", program(command)))?;
    let status = wait(&mut child, started, interrupt)?;
    let took = started.elapsed();
    if !status.success() {
        bail!("{} failed with {status}:\n{}", command_line(command), last_lines(log, SHOWN_LINES));
    }
    Ok(took)
}

/// Runs the command to its end and gives what it printed.
pub(super) fn output_of(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        tether(command).stdin(Stdio::null()).output().with_context(|| format!("{} cannot be run", program(command)))?;
    if !status.success() {
        bail!("{} failed: {}", command_line(command), String::from_utf8_lossy(&stderr).trim());
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Looks often enough for the time to be right to half a percent.
fn wait(child: &mut Child, started: Instant, interrupt: &Interrupt) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Err(halt) = interrupt.check() {
            say(format_args!("stopping, and removing what the bench has built"));
            stop(child)?;
            return Err(halt.into());
        }
        thread::sleep((started.elapsed() / 200).clamp(Duration::from_millis(1), Duration::from_millis(100)));
    }
}

/// As Ctrl-C would: a build that ends by itself has its engine end the steps, too.
fn stop(child: &mut Child) -> Result<()> {
    kill_process_group(Pid::from_child(child), Signal::INT)?;
    let deadline = Instant::now() + LEAVE;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            kill_group(child)?;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn command_line(command: &Command) -> String {
    let words = command.get_args().map(|word| word.to_string_lossy());
    format!("`{} {}`", program(command), words.collect::<Vec<_>>().join(" "))
}
