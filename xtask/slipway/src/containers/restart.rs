//! `slipway restart`: restarts services, and shows how the project is once they are healthy. Where the project
//! compiles outside images, the services' programs are compiled anew first.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::Args;
use tasks::output::say;

use super::{ProjectFlags, overview::Overview, up::explain};
use crate::name::{Name, as_typed};

#[derive(Debug, Args)]
#[command(after_help = as_typed("\
Examples:
  slipway restart
  slipway restart llm-worker

After `slipway up --dev` it compiles the service's program first, from the sources as they are."))]
pub(crate) struct RestartArgs {
    /// Services; all of them where none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    project: ProjectFlags,
    /// Seconds in which every service has to get healthy
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,
}

/// Runs the verb.
pub(crate) fn run(args: &RestartArgs) -> Result<ExitCode> {
    crate::engine::running()?;
    let project = args.project.as_started()?;
    if project.containers()?.is_empty() {
        bail!("nothing of `{}` is there; `{} up` starts it", project.definition.name, Name::typed());
    }
    let began = Instant::now();
    project.compile(&args.services)?;
    let services = args.services.iter().map(String::as_str);
    if project.hand_over(["restart"].into_iter().chain(services))? != ExitCode::SUCCESS {
        return Ok(ExitCode::FAILURE);
    }
    let has_started = project.start(&args.services, Duration::from_secs(args.patience))?;
    let took = began.elapsed();
    let containers = project.containers()?;
    Overview::take(&project, &containers)?.print(false)?;
    if !has_started {
        explain(&containers)?;
        return Ok(ExitCode::FAILURE);
    }
    say(format_args!("restarted and healthy in {:.1} s", took.as_secs_f64()));
    Ok(ExitCode::SUCCESS)
}
