//! The project's own tool: builds, runs, tests and measures it. `main` parses and dispatches;
//! each verb is a module.

mod build;
mod build_inputs;
mod buildkit;
mod compose;
mod engine;
mod flags;
mod timings;

use std::process::ExitCode;

use clap::Parser;

use flags::{Flags, Verb};

/// What was asked for cannot be done: bad flags, a bad compose file, no engine.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let result = match Flags::parse().verb {
        Verb::Build(args) => build::run(&args),
        Verb::Engine(args) => engine::run(&args),
    };
    result.unwrap_or_else(|error| {
        build::note(&format!("error: {error:#}"));
        ExitCode::from(UNUSABLE)
    })
}
