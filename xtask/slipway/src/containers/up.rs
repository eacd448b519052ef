//! `slipway up`: builds the images of a project, starts it, waits until it is healthy, and shows it.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Args;
use tasks::output::say;

use super::{
    ProjectFlags, container::Container, definition::Definition, overview::Overview, ports, project::ComposeProject,
    variant::Variant,
};
use crate::name::as_typed;

/// Lines of a service's log that are shown when it does not get healthy.
const LOG_LINES: u32 = 15;

#[derive(Debug, Args)]
#[command(after_help = as_typed("\
Examples:
  slipway up
  slipway up --air-gapped
  slipway up -f compose.yaml --no-build

Exit codes: 0 everything is up, 1 an image was not built or a service is not healthy, 2 wrong use, or something that \
you have to do first."))]
pub(crate) struct UpArgs {
    #[command(flatten)]
    project: ProjectFlags,
    /// Share the images' layers through a registry: lays compose.fast.yaml over the project
    #[arg(long)]
    fast: bool,
    /// Run programs that `restart` compiles from the sources as they are: lays compose.dev.yaml over the project
    #[arg(long)]
    dev: bool,
    /// Take no image from a registry: lays compose.air-gapped.yaml over the project
    #[arg(long)]
    air_gapped: bool,
    /// Start the images as they are
    #[arg(long)]
    no_build: bool,
    /// Seconds in which every service has to get healthy
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,
}

impl UpArgs {
    fn variants(&self) -> impl Iterator<Item = Variant> {
        // What replaces the project's own images comes last.
        let flags = [(self.fast, Variant::Fast), (self.air_gapped, Variant::AirGapped), (self.dev, Variant::Dev)];
        flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, variant)| variant)
    }

    /// What to try where a service got no container, which is for want of an image.
    fn hint(&self, definition: &Definition, service: &str) -> Option<&'static str> {
        if definition.builds(service) {
            return self.no_build.then_some("without --no-build, the project's own images are built");
        }
        (!self.air_gapped).then_some("where no image registry can be reached, --air-gapped takes none from one")
    }
}

/// Runs the verb. Whatever keeps it from beginning is an error; a service that does not get healthy is an exit code.
pub(crate) fn run(args: &UpArgs) -> Result<ExitCode> {
    let mut files = args.project.files()?;
    for variant in args.variants() {
        variant.lay_over(&mut files)?;
    }
    crate::engine::ensure()?;
    let project = ComposeProject::of(files)?;
    ports::refuse_taken(&project.definition, &project.containers()?)?;
    if !args.no_build {
        let built = crate::build::images_of(project.files(), builds_folder(&project))?;
        if built != ExitCode::SUCCESS {
            return Ok(built);
        }
    }
    project.compile(&[])?;
    for (service, reason) in &project.definition.left_out {
        say(format_args!("left out: {service}: {reason}"));
    }
    start(&project, &[], Duration::from_secs(args.patience), args)
}

/// A project that shows its builds has a folder for them beside its compose file.
fn builds_folder(project: &ComposeProject) -> Option<PathBuf> {
    project.files().first().map(|file| file.with_file_name("builds")).filter(|folder| folder.is_dir())
}

fn start(project: &ComposeProject, services: &[String], patience: Duration, args: &UpArgs) -> Result<ExitCode> {
    let has_started = project.start(services, patience)?;
    let containers = project.containers()?;
    let overview = Overview::take(project, &containers)?;
    overview.print(false)?;
    if has_started && overview.is_well() {
        return Ok(ExitCode::SUCCESS);
    }
    explain(&containers)?;
    if let Some(hint) = overview.missing().find_map(|service| args.hint(&project.definition, service)) {
        say(format_args!("hint: {hint}"));
    }
    say(format_args!("error: `{}` is not up", project.definition.name));
    Ok(ExitCode::FAILURE)
}

/// The last words of those that are not well. One that was never started is only waiting for them.
pub(super) fn explain(containers: &[Container]) -> Result<()> {
    let unhealthy = containers.iter().filter(|container| !container.is_well() && container.condition() != "created");
    for container in unhealthy {
        say(format_args!("{} is {}; its last lines:", container.service, container.condition()));
        for line in ComposeProject::last_lines(container, LOG_LINES)?.lines() {
            say(format_args!("  {line}"));
        }
    }
    Ok(())
}
