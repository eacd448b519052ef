//! `cargo xtask doctor`: what every task needs, whether this machine has it, and how to get what is missing. It changes
//! nothing. What images need is for the image tool to tell.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use tasks::{
    findings::{Finding, State, report},
    free_bytes,
};

use crate::{flags::DoctorFlags, image_tool, needs, workspace};

/// Bytes for compiled programs, images, models and caches.
const ROOM: u64 = 20 << 30;

pub(crate) fn run(flags: &DoctorFlags) -> Result<ExitCode> {
    Ok(report(&findings(), flags.json)?)
}

fn findings() -> Vec<Finding> {
    let mut findings = vec![cargo()];
    findings.extend(needs::PROGRAMS.iter().map(|need| Finding::on_package(need, "demo, dev, test", State::Missing)));
    let for_tests = needs::BUILD_TESTS.iter().chain(&needs::SERVICE_TESTS);
    findings.extend(for_tests.map(|need| Finding::on_package(need, "test", State::Advice)));
    findings.push(room());
    findings.extend(of_image_tool().unwrap_or_else(|error| vec![without_image_tool(&error)]));
    findings
}

fn cargo() -> Finding {
    let version = Command::new("cargo").arg("--version").stdin(Stdio::null()).output();
    let version = version.ok().filter(|output| output.status.success());
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    Finding {
        name: "cargo".to_owned(),
        needed_for: "all".to_owned(),
        state: if version.is_some() { State::Ok } else { State::Missing },
        found: version.unwrap_or_else(|| "not on PATH".to_owned()),
        remedy: "curl --proto =https -sSf https://sh.rustup.rs | sh".to_owned(),
    }
}

fn room() -> Finding {
    let folder = workspace::root();
    let free = free_bytes(folder);
    let gigabytes = |bytes: u64| bytes >> 30;
    Finding {
        name: "room on the disk".to_owned(),
        needed_for: "all".to_owned(),
        state: if free.is_none_or(|free| free >= ROOM) { State::Ok } else { State::Advice },
        found: free.map_or_else(|| "cannot be told".to_owned(), |free| format!("{} GiB free", gigabytes(free))),
        remedy: format!("free {} GiB at {}", gigabytes(ROOM), folder.display()),
    }
}

/// What the tool itself finds; something missing is not an error of it.
fn of_image_tool() -> Result<Vec<Finding>> {
    let output = image_tool::command()?
        .args(["doctor", "--json"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("the image tool cannot be started")?;
    serde_json::from_slice(&output.stdout).context("the image tool's findings are not understood")
}

fn without_image_tool(error: &anyhow::Error) -> Finding {
    Finding {
        name: "the image tool".to_owned(),
        needed_for: "build, lint, up".to_owned(),
        state: State::Missing,
        found: format!("{error:#}"),
        remedy: "get what is missing above, then `cargo xtask doctor` tells the rest".to_owned(),
    }
}
