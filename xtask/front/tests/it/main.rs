//! `cargo xtask` as a user meets it, and the files of the repository that no program owns.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper that fails must fail its test, and tests print"
)]

mod command_line;
mod doctor;
mod features;
mod images;
mod moved;
mod observability;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_front"));
    command.args(arguments);
    command
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
