//! What is told about a machine that has everything, and about one that has nothing.

use std::path::Path;

use tasks::findings::{Finding, State};

use crate::tool::{stdout, tool};

#[test]
fn without_tools_everything_is_missing() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = tool(empty.path());
    command.args(["doctor", "--json"]).env("PATH", empty.path());
    command.env("DOCKER_HOST", format!("unix://{}/none.sock", empty.path().display()));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let findings: Vec<Finding> = serde_json::from_slice(&output.stdout).unwrap();
    for (name, state) in [
        ("a container engine", State::Missing),
        ("mmdebstrap", State::Advice),
        ("docker buildx", State::Advice),
        ("docker compose", State::Advice),
    ] {
        let finding = findings.iter().find(|finding| finding.name.contains(name));
        let finding = finding.unwrap_or_else(|| panic!("no line on {name}"));
        assert_eq!(finding.state, state, "{name}");
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
