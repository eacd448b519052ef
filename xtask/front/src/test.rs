//! `cargo xtask test`: every test, on a machine that may have nothing yet.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use supervisor::embedded::SERVICES;
use tasks::{Halt, forget_own_package, output::say, packages};

use crate::{
    cargo_build,
    flags::TestFlags,
    needs,
    programs::ALL_PROGRAMS,
    setup::{self, Tools},
    workspace,
};

/// The image tool, which its tests run.
const IMAGE_TOOL: &str = "xtask";

/// # Errors
/// [`Halt::CommandFailed`] with the exit code of `cargo test`.
pub(crate) fn run(flags: &TestFlags) -> Result<()> {
    let with_images = tests_package(&flags.for_cargo, &["slipway"]);
    let image_tool = with_images.then_some(IMAGE_TOOL);
    let tools = setup::run(&ALL_PROGRAMS.into_iter().chain(image_tool).collect::<Vec<_>>())?;
    if with_images {
        let prepared = packages::ensure(&needs::BUILD_TESTS).and_then(|()| start_container_engine(&tools));
        prepared.unwrap_or_else(|error| will_be_skipped("image builds", &error));
    }
    if tests_package(&flags.for_cargo, &SERVICES) {
        packages::ensure(&needs::SERVICE_TESTS).unwrap_or_else(|error| will_be_skipped("the services", &error));
    }
    compile(flags)?;
    let status = command(flags).arg("--").args(&flags.for_tests).status().context("cargo cannot be run")?;
    if status.success() { Ok(()) } else { Err(Halt::of("cargo test", status).into()) }
}

fn start_container_engine(tools: &Tools) -> Result<()> {
    let mut engine = Command::new(tools.programs.path(IMAGE_TOOL)?);
    forget_own_package(&mut engine);
    let status = engine.arg("engine").status().context("the image tool cannot be started")?;
    ensure!(status.success(), "there is no container engine");
    Ok(())
}

/// Compiles the tests by themselves, which tells how far it is. Documentation's examples are compiled as they run.
fn compile(flags: &TestFlags) -> Result<()> {
    if flags.for_cargo.iter().any(|argument| ["--doc", "--no-run", "--help", "-h"].contains(&argument.as_str())) {
        return Ok(());
    }
    cargo_build::run(command(flags).arg("--no-run")).map(drop)
}

/// The release profile is the one that the programs are built in: the native libraries are compiled once.
fn command(flags: &TestFlags) -> Command {
    let mut command = workspace::cargo();
    command.args(["test", "--release"]);
    if !chooses_packages(&flags.for_cargo) {
        command.arg("--workspace");
    }
    command.args(&flags.for_cargo);
    command
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
