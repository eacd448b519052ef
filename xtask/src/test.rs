//! `cargo xtask test`: every test, on a machine that may have nothing yet.

use anyhow::Context;

use crate::{binaries, engine, flags::TestFlags, halt::Halt, output::say, packages, setup};

/// # Errors
/// [`Halt::CommandFailed`] with the exit code of `cargo test`.
pub(crate) fn run(flags: &TestFlags) -> anyhow::Result<()> {
    setup::run(&binaries::ALL_PROGRAMS)?;
    if tests_builds(&flags.for_cargo) {
        prepare_builds();
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

/// An engine and a registry for the tests of the build tool. Where they cannot be had, these say that they are skipped.
fn prepare_builds() {
    let prepared = packages::ensure(&packages::TESTS).and_then(|()| engine::ensure());
    if let Err(error) = prepared {
        say(format_args!("tests of image builds will be skipped: {error:#}"));
    }
}

fn tests_builds(arguments: &[String]) -> bool {
    !chooses_packages(arguments)
        || arguments.iter().any(|argument| ["xtask", "--workspace"].contains(&argument.as_str()))
}

fn chooses_packages(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| {
        ["-p", "--package", "--workspace", "--all"].contains(&argument.as_str()) || argument.starts_with("--package=")
    })
}
