//! Slipway builds the images of compose projects: in parallel, through BuildKit, with a record of where the time went.
//! It looks for what makes them slow, makes base images where no registry answers, runs the project, and measures
//! itself against other builders. It knows nothing of what is in the images.

mod bases;
mod bench_build;
mod build;
mod build_event;
mod build_inputs;
mod builder;
mod buildkit;
mod cache_folder;
mod compose;
mod containers;
mod debian;
mod dockerfile;
mod doctor;
mod engine;
mod flags;
mod hash;
mod lint;
mod name;
mod timings;

use std::process::ExitCode;

use clap::Parser;
use tasks::{Halt, exit_code, output::say};

use flags::{Flags, Verb};
pub use name::Name;

/// Does what the command line says, for a program of that name.
pub fn run(name: Name) -> ExitCode {
    name.was_typed();
    let Flags { verb } = Flags::parse();
    run_verb(verb).unwrap_or_else(|error| {
        say(format_args!("error: {error:#}"));
        exit_code(&error)
    })
}

fn run_verb(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        // These tell for themselves what is for the user to put right.
        Verb::BenchBuild(args) => return bench_build::run(&args).map(|()| ExitCode::SUCCESS),
        Verb::Bases(args) => return bases::run(&args),
        Verb::Doctor(args) => return doctor::run(&args),
        Verb::Build(args) => build::run(&args),
        Verb::Up(args) => containers::up(&args),
        Verb::Down(args) => containers::down(&args),
        Verb::Restart(args) => containers::restart(&args),
        Verb::Logs(args) => containers::logs(&args),
        Verb::Status(args) => containers::status(&args),
        Verb::Lint(args) => lint::run(&args),
        Verb::Builder(args) => builder::run(&args),
        Verb::Engine(args) => engine::run(&args),
    }
    .map_err(Halt::action_required)
}
