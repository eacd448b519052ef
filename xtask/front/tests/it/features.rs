//! Cargo compiles a package anew for each set of features: the front, the programs, the image tool and the tests have to
//! agree on one.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use crate::repository;

#[test]
fn no_package_is_compiled_twice_for_other_features() {
    let tests = packages(&["test", "--workspace", "--no-run"]);
    for build in [
        vec!["build", "--package", "front"],
        vec!["build", "--workspace", "--bin", "xtask"],
        vec!["build", "--workspace", "--bin", "longhand", "--bin", "transcription-worker", "--bin", "llm-worker"],
        vec!["build", "--workspace", "--bins"],
    ] {
        let twice: Vec<_> = packages(&build).difference(&tests).cloned().collect();
        assert!(
            twice.is_empty(),
            "cargo {build:?} compiles other features than the tests; see workspace-hack: {twice:#?}"
        );
    }
}

/// The third-party libraries that a command of cargo compiles, each with its features and its level of optimisation.
fn packages(command: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(command).args(["--release", "--locked", "--offline", "-Z", "unstable-options", "--unit-graph"]);
    // Only cargo itself knows what it would compile, and tells it to nightly's users alone.
    let output = cargo.env("RUSTC_BOOTSTRAP", "1").current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let graph: Value = serde_json::from_slice(&output.stdout).unwrap();
    let units = graph["units"].as_array().unwrap().iter();
    let libraries = units.filter(|unit| unit["mode"] == "build" && unit["target"]["kind"][0] != "custom-build");
    let third_party = libraries.filter(|unit| unit["pkg_id"].as_str().unwrap().starts_with("registry+"));
    let described = third_party.map(|unit| {
        let package = unit["pkg_id"].as_str().unwrap().rsplit('#').next().unwrap();
        format!("{package}, level {}: {}", unit["profile"]["opt_level"], unit["features"])
    });
    described.collect()
}
