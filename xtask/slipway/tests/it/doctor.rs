//! What is told about a machine that has everything, and about one that has nothing.

use std::path::Path;

use serde_json::Value;

use crate::tool::{stdout, tool};

#[test]
fn without_tools_everything_is_missing_and_every_line_says_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = tool(empty.path());
    command.args(["doctor", "--json"]).env("PATH", empty.path());
    command.env("DOCKER_HOST", format!("unix://{}/none.sock", empty.path().display()));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let state = |name: &str| {
        let found = findings.iter().find(|finding| finding["name"].as_str().unwrap().contains(name));
        found.unwrap_or_else(|| panic!("no line on {name}"))["state"].as_str().unwrap().to_owned()
    };
    let expected = [
        ("a container engine", "missing"),
        ("mmdebstrap", "advice"),
        ("docker buildx", "advice"),
        ("docker compose", "advice"),
    ];
    for (name, expected) in expected {
        assert_eq!(state(name), expected, "{name}");
    }
    for finding in findings.iter().filter(|finding| finding["state"] != "ok") {
        assert!(finding["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{finding}");
    }
}

#[test]
fn people_read_a_line_per_prerequisite_and_its_remedy() {
    let output = tool(Path::new("/")).arg("doctor").env("DOCKER_HOST", "unix:///none.sock").output().unwrap();
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("missing  a container engine")).unwrap();
    assert!(lines[at].contains("no container engine answers at unix:///none.sock"), "{text}");
    assert!(lines[at + 1].contains("install Docker Engine 23 or newer"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}
