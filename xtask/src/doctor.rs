//! `cargo xtask doctor`: what every task needs, whether this machine has it, and how to get what is
//! missing. It looks, and changes nothing.

mod engine;
mod machine;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::output::print;

const SOMETHING_MISSING: u8 = 1;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask doctor
  cargo xtask doctor --json

Exit codes: 0 all main tasks can run, if need be after installing something themselves; 1 one cannot.")]
pub(crate) struct DoctorArgs {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// What a look at one prerequisite gave.
#[derive(Debug, Serialize)]
struct Finding {
    name: String,
    /// The tasks that use it.
    needed_for: &'static str,
    state: State,
    /// What is there, or what is wrong.
    found: String,
    /// The command, or else the sentence, that changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// The tasks run, but not as well as they could, or some of their parts do not.
    Advice,
    /// Missing, and installed by the tasks that need it.
    Installs,
    Missing,
}

/// Runs the verb.
pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("no threads for the connection")?;
    let mut findings = machine::look();
    findings.extend(runtime.block_on(engine::look()));
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&findings)?))?;
    } else {
        print(&render(&findings))?;
    }
    let can_run = findings.iter().all(|finding| finding.state != State::Missing);
    Ok(if can_run { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING_MISSING) })
}

fn render(findings: &[Finding]) -> String {
    let width = |text: fn(&Finding) -> &str| findings.iter().map(|finding| text(finding).len()).max().unwrap_or(0);
    let (name_width, task_width) = (width(|finding| &finding.name), width(|finding| finding.needed_for));
    let mut text = String::new();
    for Finding { name, needed_for, state, found, remedy } in findings {
        let word = state.word();
        text.push_str(&format!("{word:<8} {name:<name_width$}  {needed_for:<task_width$}  {found}\n"));
        if let Some(remedy) = remedy.as_ref().filter(|_| *state != State::Ok) {
            text.push_str(&format!("{:<8} {remedy}\n", "",));
        }
    }
    text
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Advice => "advice",
            State::Installs => "installs",
            State::Missing => "missing",
        }
    }
}
