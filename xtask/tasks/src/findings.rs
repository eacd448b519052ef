//! What a look at a machine gives: for each prerequisite of the tasks, whether it is there and how to get it.

use std::{io, process::ExitCode};

use serde::{Deserialize, Serialize};

use crate::{
    output::{print, print_json},
    packages::{self, Need},
};

const SOMETHING_MISSING: u8 = 1;

/// What a look at one prerequisite gave.
#[derive(Debug, Serialize, Deserialize)]
pub struct Finding {
    pub name: String,
    /// The tasks that use it.
    pub needed_for: String,
    pub state: State,
    /// What is there, or what is wrong.
    pub found: String,
    /// The command, or else the sentence, that changes it.
    pub remedy: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    /// The tasks run, but not as well as they could, or some of their parts do not.
    Advice,
    /// Missing, and installed by the tasks that need it.
    Installs,
    Missing,
}

impl Finding {
    /// On a system package. `otherwise` is what it means that this machine lacks it and no task can install it.
    pub fn on_package(need: &Need, needed_for: &str, otherwise: State) -> Self {
        let is_met = (need.is_met)();
        let state = match is_met {
            true => State::Ok,
            false if packages::can_install() => State::Installs,
            false => otherwise,
        };
        Self {
            name: need.purpose.to_owned(),
            needed_for: needed_for.to_owned(),
            state,
            found: if is_met { "found" } else { "not found" }.to_owned(),
            remedy: packages::instruction(&[need.package]),
        }
    }
}

/// Prints the findings, for people or as JSON. The exit code tells whether all main tasks can run, if need be after
/// installing something themselves.
pub fn report(findings: &[Finding], as_json: bool) -> io::Result<ExitCode> {
    if as_json { print_json(findings) } else { print(&render(findings)) }?;
    let is_missing = findings.iter().any(|finding| finding.state == State::Missing);
    Ok(if is_missing { ExitCode::from(SOMETHING_MISSING) } else { ExitCode::SUCCESS })
}

/// A line for each finding, and one for its remedy where it needs one.
fn render(findings: &[Finding]) -> String {
    let width = |text: fn(&Finding) -> &str| findings.iter().map(|finding| text(finding).len()).max().unwrap_or(0);
    let (name_width, task_width) = (width(|finding| &finding.name), width(|finding| &finding.needed_for));
    let mut text = String::new();
    for Finding { name, needed_for, state, found, remedy } in findings {
        let word = state.word();
        text.push_str(&format!("{word:<8} {name:<name_width$}  {needed_for:<task_width$}  {found}\n"));
        if *state != State::Ok {
            text.push_str(&format!("{:<8} {remedy}\n", ""));
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
