//! The image tool: built when its sources have changed, and started in this program's place. Cargo is not asked where
//! nothing has changed, for that alone takes longer than a build of images that has nothing to do.

mod freshness;

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use tasks::forget_own_package;

use crate::{cargo_build, workspace};
use freshness::Freshness;

/// The binary's name, and so that of the file in cargo's folder of results.
const NAME: &str = "xtask";

/// Goes on as the image tool, with the arguments as they were typed.
///
/// # Errors
/// The tool cannot be built or started; otherwise this does not return.
pub(crate) fn hand_over() -> Result<ExitCode> {
    let mut command = command()?;
    let error = command.args(env::args_os().skip(1)).exec();
    Err(error).with_context(|| format!("{} cannot be started", Path::new(command.get_program()).display()))
}

/// The image tool, built if need be.
pub(crate) fn command() -> Result<Command> {
    let mut command = Command::new(up_to_date()?);
    forget_own_package(&mut command);
    // Whoever names a folder for Longhand's downloads wants the tool's there, too.
    if let (None, Some(folder)) = (env::var_os("SLIPWAY_CACHE"), env::var_os("LONGHAND_CACHE")) {
        command.env("SLIPWAY_CACHE", folder);
    }
    Ok(command)
}

/// The tool's path, after a build where something has changed.
fn up_to_date() -> Result<PathBuf> {
    let own = env::current_exe().context("this program has no path")?;
    let tool = own.with_file_name(NAME);
    let freshness = Freshness::of(&tool, &own);
    if freshness.is_given() {
        return Ok(tool);
    }
    let check = freshness.begin_check()?;
    let mut built = cargo_build::run(&mut build_command(&own))?;
    check.passed()?;
    built.remove(NAME).context("the build gave no image tool")
}

/// Builds the tool in the same profile as this program, so that it lies beside it.
fn build_command(own: &Path) -> Command {
    let folder = own.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let profile = if folder == "debug" { "dev" } else { folder.as_ref() };
    let mut command = workspace::cargo();
    command.args(["build", "--profile", profile, "--workspace", "--bin", NAME]);
    command
}
