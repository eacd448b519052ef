//! Every task around Longhand that is more than one command: set-up, demo, development stack, tests.
//!
//! It depends on no other crate of the workspace, so that it is built in seconds on a bare machine.

mod bases;
mod bench_apis;
mod bench_build;
mod bench_jobs;
mod bench_speech;
mod bench_stack;
mod binaries;
mod build;
mod build_inputs;
mod builder;
mod buildkit;
mod cache_folder;
mod compose;
mod containers;
mod debian;
mod demo;
mod dev;
mod disk;
mod dockerfile;
mod doctor;
mod engine;
mod flags;
mod halt;
mod interrupt;
mod lint;
mod output;
mod packages;
mod setup;
mod stack;
mod test;
mod timings;

use std::process::ExitCode;

use flags::{Task, Xtask};
use halt::Halt;

fn main() -> ExitCode {
    let line: Vec<String> = std::env::args().collect();
    let Xtask { task } = Xtask::parse_line(&line).unwrap_or_else(|misuse| misuse.exit());
    match run(task) {
        Ok(code) => code,
        Err(error) => {
            output::say(format_args!("error: {error:#}"));
            error.downcast_ref::<Halt>().map_or(ExitCode::FAILURE, Halt::exit_code)
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    match task {
        Task::Demo(flags) => demo::run(&flags),
        Task::Dev(flags) => dev::run(&flags),
        Task::Test(flags) => test::run(&flags),
        Task::BenchSpeech(flags) => bench_speech::run(&flags),
        Task::BenchJobs(flags) => bench_jobs::run(&flags),
        Task::BenchApis(flags) => bench_apis::run(&flags),
        Task::BenchBuild(args) => bench_build::run(&args),
        Task::Setup => setup::run(&binaries::ALL_PROGRAMS).map(drop),
        Task::Build(flags) => return build::run(&flags).map_err(your_turn),
        Task::Bases(flags) => return bases::run(&flags),
        Task::Doctor(flags) => return doctor::run(&flags),
        Task::Up(args) => return containers::up(&args).map_err(your_turn),
        Task::Down(args) => return containers::down(&args).map_err(your_turn),
        Task::Restart(args) => return containers::restart(&args).map_err(your_turn),
        Task::Logs(args) => return containers::logs(&args).map_err(your_turn),
        Task::Status(args) => return containers::status(&args).map_err(your_turn),
        Task::Lint(flags) => return lint::run(&flags).map_err(your_turn),
        Task::Builder(flags) => return builder::run(&flags).map_err(your_turn),
        Task::Engine(flags) => return engine::run(&flags).map_err(your_turn),
    }
    .map(|()| ExitCode::SUCCESS)
}

/// What keeps a task from beginning is for the user to put right.
fn your_turn(error: anyhow::Error) -> anyhow::Error {
    Halt::YourTurn(format!("{error:#}")).into()
}
