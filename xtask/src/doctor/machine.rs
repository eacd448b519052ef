//! Programs, packages and room on the disk.

use std::process::{Command, Stdio};

use super::{Finding, State};
use crate::bases::installed_rust;
use crate::disk::free_bytes;
use crate::packages::{self, Need};

/// Compiled programs, images, models and caches.
const ROOM: u64 = 20 << 30;

pub(super) fn look() -> Vec<Finding> {
    let mut findings = vec![cargo()];
    findings.extend(packages::PROGRAMS.iter().map(|need| package(need, "demo, dev, test", State::Missing)));
    findings.extend(packages::BASES.iter().map(|need| package(need, "bases, build", State::Advice)));
    findings.push(rust_to_copy());
    let for_tests = packages::BUILD_TESTS.iter().chain(&packages::SERVICE_TESTS);
    findings.extend(for_tests.map(|need| package(need, "test", State::Advice)));
    findings.push(room());
    findings
}

fn cargo() -> Finding {
    let found = first_line("cargo", &["--version"]);
    Finding {
        name: "cargo".to_owned(),
        needed_for: "all",
        state: if found.is_some() { State::Ok } else { State::Missing },
        found: found.unwrap_or_else(|| "not on PATH".to_owned()),
        remedy: Some("curl --proto =https -sSf https://sh.rustup.rs | sh".to_owned()),
    }
}

/// `otherwise` is what it means that this machine lacks it and cannot be given it by a task.
fn package(need: &Need, needed_for: &'static str, otherwise: State) -> Finding {
    let is_met = (need.is_met)();
    let state = match is_met {
        true => State::Ok,
        false if packages::can_install() => State::Installs,
        false => otherwise,
    };
    Finding {
        name: need.purpose.to_owned(),
        needed_for,
        state,
        found: if is_met { "found" } else { "not found" }.to_owned(),
        remedy: Some(packages::instruction(&[need.package])),
    }
}

fn rust_to_copy() -> Finding {
    let versions = installed_rust();
    Finding {
        name: "a Rust toolchain for base images".to_owned(),
        needed_for: "bases, build",
        state: if versions.is_empty() { State::Advice } else { State::Ok },
        found: if versions.is_empty() { "none of rustup's".to_owned() } else { versions.join(", ") },
        remedy: Some("rustup toolchain install stable".to_owned()),
    }
}

fn room() -> Finding {
    let folder = crate::binaries::workspace();
    let free = free_bytes(folder);
    let gigabytes = |bytes: u64| bytes >> 30;
    Finding {
        name: "room on the disk".to_owned(),
        needed_for: "all",
        state: if free.is_none_or(|free| free >= ROOM) { State::Ok } else { State::Advice },
        found: free.map_or_else(|| "cannot be told".to_owned(), |free| format!("{} GiB free", gigabytes(free))),
        remedy: Some(format!("free {} GiB at {}", gigabytes(ROOM), folder.display())),
    }
}

/// What a program says, if it can be run.
pub(super) fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}
