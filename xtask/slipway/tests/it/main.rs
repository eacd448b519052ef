//! The tool as its users see it: its commands run on real projects and, where one answers, with
//! a real engine.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper that fails must fail its test, and tests print"
)]

mod bases;
mod bench_build;
mod builder;
mod builders;
mod builds;
mod command_line;
mod containers;
mod doctor;
mod engine;
mod history;
mod images;
mod lints;
mod plans;
mod registry;
mod second_engine;
mod tool;
mod unchanged;
