//! What can be typed after the program's name.

use clap::{Parser, Subcommand};

use crate::{
    bases::BasesArgs,
    bench_build::{self, BenchBuildArgs},
    build::{self, BuildArgs},
    builder::{self, BuilderArgs},
    containers::{DownArgs, LogsArgs, RestartArgs, StatusArgs, UpArgs},
    doctor::DoctorArgs,
    engine::{self, EngineArgs},
    lint::{self, LintArgs},
    name::{Name, as_typed},
};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong use or something that you have to do first, 130 interrupted.
What is kept between builds lies in SLIPWAY_CACHE, or `slipway` in your cache folder; deleting it costs time only.";

/// Build, check, run and measure the images of a compose project.
#[derive(Debug, Parser)]
#[command(name = Name::typed().as_str(), bin_name = Name::typed().as_str(), version, after_help = EXIT_CODES)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Measure what the optimised images save, against plain Dockerfiles and other builders
    #[command(after_help = with_exit_codes(bench_build::EXAMPLES))]
    BenchBuild(BenchBuildArgs),
    /// Build a compose project, start it in containers, and wait until it is healthy
    Up(UpArgs),
    /// Stop what `up` started
    Down(DownArgs),
    /// Restart services that `up` started
    Restart(RestartArgs),
    /// Show what the services wrote
    Logs(LogsArgs),
    /// Show how the services are
    Status(StatusArgs),
    /// Build the images of a compose project in parallel
    #[command(after_help = with_exit_codes(build::EXAMPLES))]
    Build(Box<BuildArgs>),
    /// Make the base images that a project needs and no registry gives
    Bases(BasesArgs),
    /// Tell what images need on this machine, and how to get what is missing
    Doctor(DoctorArgs),
    /// Tell what makes the images of a compose project slow to build, and what mending it saves
    #[command(after_help = lint::help())]
    Lint(LintArgs),
    /// Show what builds, what it keeps and what it would drop; configure and prune it
    #[command(after_help = with_exit_codes(builder::EXAMPLES))]
    Builder(BuilderArgs),
    /// Install and start a container engine, where it can be done here
    #[command(after_help = with_exit_codes(engine::EXAMPLES))]
    Engine(EngineArgs),
}

/// What stands below the flags.
fn with_exit_codes(examples: &str) -> String {
    format!("{}\n\n{EXIT_CODES}", as_typed(examples))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Flags;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }
}
