//! What `cargo xtask` starts: set-up, demo, development stack, tests and benches of Longhand. It depends on little, so
//! that it is compiled in seconds on a bare machine; what has to do with images it hands over to the image tool.

mod bench_apis;
mod bench_jobs;
mod bench_speech;
mod bench_stack;
mod cargo_build;
mod console;
mod demo;
mod dev;
mod doctor;
mod flags;
mod image_tool;
mod needs;
mod programs;
mod recogniser;
mod setup;
mod test;
mod workspace;

use std::process::ExitCode;

use tasks::{exit_code, output::say};

use flags::{Task, Xtask};

fn main() -> ExitCode {
    let line: Vec<String> = std::env::args().collect();
    let Xtask { task } = Xtask::parse_line(&line).unwrap_or_else(|misuse| misuse.exit());
    run(task).unwrap_or_else(|error| {
        say(format_args!("error: {error:#}"));
        exit_code(&error)
    })
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    match task {
        Task::Demo(flags) => demo::run(&flags),
        Task::Dev(flags) => dev::run(&flags),
        Task::Test(flags) => test::run(&flags),
        Task::BenchSpeech(flags) => bench_speech::run(&flags),
        Task::BenchJobs(flags) => bench_jobs::run(&flags),
        Task::BenchApis(flags) => bench_apis::run(&flags),
        Task::Setup => setup::run(&programs::ALL_PROGRAMS).map(drop),
        Task::Doctor(flags) => return doctor::run(&flags),
        Task::BenchBuild(_)
        | Task::Up(_)
        | Task::Down(_)
        | Task::Restart(_)
        | Task::Logs(_)
        | Task::Status(_)
        | Task::Build(_)
        | Task::Bases(_)
        | Task::Lint(_)
        | Task::Builder(_)
        | Task::Engine(_) => return image_tool::hand_over(),
    }
    .map(|()| ExitCode::SUCCESS)
}
