//! `cargo xtask test`: every test, on a machine that may have nothing yet.

use anyhow::Context;

use crate::{binaries, engine, flags::TestFlags, halt::Halt, output::say, packages, setup};

/// # Errors
/// [`Halt::CommandFailed`] with the exit code of `cargo test`.
pub(crate) fn run(flags: &TestFlags) -> anyhow::Result<()> {
    setup::run(&binaries::ALL_PROGRAMS)?;
    if tests_package(&flags.for_cargo, &["xtask"]) {
        let prepared = packages::ensure(&packages::BUILD_TESTS).and_then(|()| engine::ensure().map(drop));
        prepared.unwrap_or_else(|error| will_be_skipped("image builds", &error));
    }
    if tests_package(&flags.for_cargo, &["ingestion-api", "job-status-api"]) {
        packages::ensure(&packages::SERVICE_TESTS).unwrap_or_else(|error| will_be_skipped("the services", &error));
    }
    let mut command = binaries::cargo();
    // The release profile is the one that the programs are built in: the native libraries are compiled once.
    command.args(["test", "--release"]);
    if !chooses_packages(&flags.for_cargo) {
        command.arg("--workspace");
    }
    let arguments = command.args(&flags.for_cargo).arg("--").args(&flags.for_tests);
    let status = arguments.status().context("cargo cannot be run")?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Halt::CommandFailed { command: "cargo test", code }.into())
}

/// Tests whose parts cannot be had say so themselves; CI counts that as a failure.
fn will_be_skipped(what: &str, error: &anyhow::Error) {
    say(format_args!("tests of {what} will be skipped: {error:#}"));
}

fn tests_package(arguments: &[String], packages: &[&str]) -> bool {
    !chooses_packages(arguments)
        || arguments.iter().any(|argument| argument == "--workspace" || packages.contains(&argument.as_str()))
}

fn chooses_packages(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| {
        ["-p", "--package", "--workspace", "--all"].contains(&argument.as_str()) || argument.starts_with("--package=")
    })
}
