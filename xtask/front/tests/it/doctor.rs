//! What is found on a machine that has nothing, not even the image tool.

use std::{fs, path::Path, process::Command};

use tasks::findings::{Finding, State};

#[test]
fn without_tools_everything_is_missing() {
    let program = Path::new(env!("CARGO_BIN_EXE_front"));
    // Without rustup, without a compiler, and with no image tool beside the program. It is no copy: while other tests start
    // programs, they may hold one open for writing, and then it cannot be run.
    let empty = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
    let front = empty.path().join("front");
    fs::hard_link(program, &front).unwrap();
    let mut command = Command::new(front);
    command.args(["doctor", "--json"]).env("PATH", empty.path()).env_remove("CARGO");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let findings: Vec<Finding> = serde_json::from_slice(&output.stdout).unwrap();
    for (name, state) in [
        ("cargo", State::Missing),
        ("a C and C++ compiler", State::Missing),
        ("CMake", State::Missing),
        ("Python", State::Missing),
        ("package installer", State::Missing),
        ("the image tool", State::Missing),
        ("a container registry", State::Advice),
    ] {
        let finding = findings.iter().find(|finding| finding.name.contains(name));
        let finding = finding.unwrap_or_else(|| panic!("no line on {name}"));
        assert_eq!(finding.state, state, "{name}");
    }
}
