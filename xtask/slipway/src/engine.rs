//! `slipway engine`: makes a container engine answer on this machine. It knows how Debian
//! and Ubuntu install and start one, and nothing of what is built with it.

mod install;
mod start;

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use tasks::output::say;

use crate::{
    buildkit::{Engine, EngineUnreachable},
    name::Name,
};

pub(crate) const EXAMPLES: &str = "\
Examples:
  slipway engine
  slipway engine --stop

`slipway build` and `slipway up` start an engine by themselves where none runs.";

/// Install and start a container engine, where it can be done here.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// Stop the engine that this command started
    #[arg(long)]
    stop: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &EngineArgs) -> Result<ExitCode> {
    if args.stop {
        start::stop()?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("the engine {} answers", ensure()?.version));
    Ok(ExitCode::SUCCESS)
}

/// As [`connect_or_start`], for those who only need an engine to be there.
pub(crate) fn ensure() -> Result<Engine> {
    let runtime = tokio::runtime::Runtime::new().context("no threads for the connection")?;
    runtime.block_on(connect_or_start())
}

/// An engine that runs already, for those who look at what it runs.
///
/// # Errors
/// None answers; what to do is said.
pub(crate) fn running() -> Result<Engine> {
    let runtime = tokio::runtime::Runtime::new().context("no threads for the connection")?;
    runtime.block_on(Engine::connect()).map_err(|unreachable| anyhow!("{unreachable}; {}", remedy()))
}

/// Whether an engine of this version can do what builds ask of it.
pub(crate) fn is_new_enough(version: &str) -> bool {
    install::major_version(version).is_some_and(|major| major >= install::OLDEST_ENGINE)
}

/// Whether [`connect_or_start`] can help itself on this machine.
pub(crate) fn can_be_started_here() -> bool {
    !is_named() && install::reason_not_here().is_none()
}

/// What to do where no engine answers, or one that is too old.
pub(crate) fn remedy() -> String {
    if can_be_started_here() { format!("{} engine", Name::typed()) } else { install::ADVICE.to_owned() }
}

fn is_named() -> bool {
    std::env::var_os("DOCKER_HOST").is_some_and(|host| !host.is_empty())
}

/// The engine that the environment names; where none answers, one that is installed and started
/// for it, if this is a machine where that is the way.
pub(crate) async fn connect_or_start() -> Result<Engine> {
    let unreachable = match Engine::connect().await {
        Ok(engine) => return Ok(engine),
        Err(error) => error.downcast::<EngineUnreachable>()?,
    };
    if is_named() {
        bail!("{unreachable}; start the engine that DOCKER_HOST names, or unset it");
    }
    if let Some(reason) = install::reason_not_here() {
        bail!("{unreachable}; {reason}: {}", install::ADVICE);
    }
    say(format_args!("{unreachable}; installing and starting one"));
    tokio::task::spawn_blocking(|| install::install_missing().and_then(|()| start::start()))
        .await
        .context("the start of the engine was interrupted")??;
    start::wait_until_ready().await
}
