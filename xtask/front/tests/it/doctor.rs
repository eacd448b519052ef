//! What is found on a machine that has nothing, not even the image tool.

use std::{fs, process::Command};

use serde_json::Value;

#[test]
fn without_tools_everything_is_missing_and_every_line_says_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    // Without rustup, without a compiler, and with no image tool beside the program.
    let front = empty.path().join("front");
    fs::copy(env!("CARGO_BIN_EXE_front"), &front).unwrap();
    let mut command = Command::new(front);
    command.args(["doctor", "--json"]).env("PATH", empty.path()).env_remove("CARGO");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let state = |name: &str| {
        let found = findings.iter().find(|finding| finding["name"].as_str().unwrap().contains(name));
        found.unwrap_or_else(|| panic!("no line on {name}"))["state"].as_str().unwrap().to_owned()
    };
    let expected = [
        ("cargo", "missing"),
        ("a C and C++ compiler", "missing"),
        ("CMake", "missing"),
        ("Python", "missing"),
        ("package installer", "missing"),
        ("the image tool", "missing"),
        ("a container registry", "advice"),
    ];
    for (name, expected) in expected {
        assert_eq!(state(name), expected, "{name}");
    }
    for finding in findings.iter().filter(|finding| finding["state"] != "ok") {
        assert!(finding["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{finding}");
    }
}
