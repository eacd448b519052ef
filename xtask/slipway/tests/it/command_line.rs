//! What can be typed after the tool's name.

use std::{path::Path, process::Command};

use crate::tool::{stdout, tool};

#[test]
fn every_verb_shows_an_example_below_its_summary_and_flags() {
    for verb in
        ["build", "bases", "bench-build", "builder", "doctor", "down", "engine", "lint", "logs", "restart", "up"]
    {
        let help = stdout(&tool(Path::new("/")).args([verb, "--help"]).output().unwrap());
        let flags = help.find("Options:").unwrap_or_else(|| panic!("{verb} has no flags: {help}"));
        let example = help.find(&format!("Examples:\n  cargo xtask {verb}"));
        assert!(example.is_some_and(|example| example > flags), "{help}");
    }
}

#[test]
fn the_version_is_told_under_either_name() {
    for (program, name) in [(env!("CARGO_BIN_EXE_xtask"), "cargo xtask"), (env!("CARGO_BIN_EXE_slipway"), "slipway")] {
        let told = stdout(&Command::new(program).arg("--version").output().unwrap());
        assert_eq!(told, format!("{name} {}\n", env!("CARGO_PKG_VERSION")));
    }
}
