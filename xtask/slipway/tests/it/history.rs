//! What is kept of builds, and what a comparison of two says.

use serde_json::Value;

use crate::{
    engine::{BASE, TestProject},
    tool::{stderr, stdout},
};

/// A service whose name is that of a subcommand, and another one.
fn project() -> Option<TestProject> {
    let project = TestProject::new()?;
    project.write("Dockerfile", &format!("{BASE}FROM base AS app\nCOPY data /data\nRUN --network=none sleep 1\n"));
    project.write("data", "1");
    project.write(".dockerignore", "timings\n");
    project.compose("services:\n  history: {build: .}\n  compare: {build: {context: ., target: base}}\n");
    Some(project)
}

fn json(project: &TestProject, arguments: &str) -> Value {
    let output = project.build(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn builds_are_kept_and_compared() {
    let Some(project) = project() else { return };
    assert_eq!(json(&project, "history --json"), serde_json::json!([]));
    project.build_timed("");
    project.build_timed("--verify");
    project.write("data", &"2".repeat(100_000));
    project.build_timed("");

    let builds = json(&project, "history --json");
    let numbers: Vec<u64> = builds.as_array().unwrap().iter().map(|build| build["build"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert!(builds[0]["images"]["built"].as_u64().unwrap() >= 1, "{builds:#}");
    let listed = stdout(&project.build("history"));
    assert!(listed.contains(" 2 built ") && listed.contains(" s ago "), "{listed}");

    let compared = json(&project, "compare 2 3 --json");
    let image = compared["images"].as_array().unwrap().iter().find(|image| image["name"] == "history").unwrap();
    let reasons = image["reasons"].as_array().unwrap();
    let says = |part: &str| reasons.iter().any(|reason| reason["what"].as_str().unwrap().contains(part));
    assert!(says("sleep 1: ran; it was cached"), "{image:#}");
    assert!(says("of its contexts were sent, and "), "{image:#}");
    assert!(reasons[0]["ms"].as_f64().unwrap() > 900.0, "what costs most is not the first: {image:#}");

    let shown = stdout(&project.build("compare 2 timings"));
    assert!(shown.contains("sleep 1: ran; it was cached"), "{shown}");
}

#[test]
fn images_may_be_called_as_subcommands_are() {
    let Some(project) = project() else { return };
    let output = project.build("--progress quiet -- history");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 1);
}

#[test]
fn builds_that_are_not_kept_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, complaint) in [
        (["compare", "7", "8"], "no build 7 is kept; `cargo xtask build history` lists those that are"),
        (["compare", "nowhere/build.json", "8"], "nowhere/build.json cannot be read"),
    ] {
        let mut command = crate::tool::tool(folder.path());
        let output = command.arg("build").args(arguments).env("SLIPWAY_CACHE", folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(complaint), "{}", stderr(&output));
    }
}
