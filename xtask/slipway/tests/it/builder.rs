//! What a builder keeps and drops; on second engines, for the machine's own is not a test's to prune.

use std::fs;

use serde_json::Value;

use crate::{
    engine::{BASE, TestProject},
    second_engine::SecondEngine,
    tool::{stderr, stdout, tool},
};

fn describe(second: &SecondEngine, arguments: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut command = tool(folder.path());
    command.arg("builder").args(arguments.split_whitespace()).args(["--json", "--builder", &second.socket()]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn a_builder_is_shown_and_pruned() {
    let Some(project) = TestProject::new() else { return };
    let Some(second) = SecondEngine::start(false) else { return };
    let mount = "--mount=type=cache,target=/kept,id=registry";
    project.write("Dockerfile", &format!("{BASE}RUN --network=none {mount} cp /unique /kept/file\n"));
    project.compose("services:\n  app: {build: .}\n");
    let built = project.command("").env("DOCKER_HOST", second.socket()).output().unwrap();
    assert_eq!(built.status.code(), Some(0), "{}", stderr(&built));

    let shown = describe(&second, "");
    assert_eq!(shown["worker"]["snapshotter"], "overlayfs");
    assert_eq!(shown["cache_mounts"].as_array().unwrap().len(), 1, "{shown:#}");
    assert!(shown["bytes"].as_u64().unwrap() > 1_000_000 && shown["would_drop"] == Value::Array(vec![]), "{shown:#}");
    let mut command = tool(project.path());
    let text = stdout(&command.args(["builder"]).env("DOCKER_HOST", second.socket()).output().unwrap());
    assert!(text.contains("│ /kept (registry) │") && text.contains("now it would drop nothing"), "{text}");

    let records = |description: &Value| description["records"].as_array().unwrap().len();
    assert_eq!(records(&describe(&second, "prune --older-than 1h")), 0);
    let forecast = describe(&second, "prune --keep 1kB --dry-run");
    assert!(records(&forecast) > 1 && forecast["dry_run"] == true, "{forecast:#}");
    assert_eq!(describe(&second, "")["bytes"], shown["bytes"]);
    assert!(records(&describe(&second, "prune --older-than 0s")) >= 1);
    assert_eq!(describe(&second, "")["cache_mounts"], Value::Array(vec![]));
}

/// The engine is asked what it understood.
#[test]
fn the_written_policy_keeps_cache_mounts() {
    let folder = tempfile::tempdir().unwrap();
    let output = tool(folder.path()).args(["builder", "config", "--keep", "9GB"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = fs::read_to_string(folder.path().join("compose/buildkitd.toml")).unwrap();
    for line in ["[[worker.oci.gcpolicy]]", "  filters = [\"type!=exec.cachemount\"]", "  maxUsedSpace = \"6000MB\""] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in:\n{text}");
    }
    let Some(second) = SecondEngine::start_with(serde_json::from_str(&stdout(&output)).unwrap(), false) else { return };
    let rules = describe(&second, "")["worker"]["rules"].clone();
    let names_mounts = |rule: &Value| rule["filters"].to_string().contains("cachemount");
    assert!(!rules.as_array().unwrap().iter().any(names_mounts), "{rules:#}");
    let most: Vec<u64> = rules.as_array().unwrap().iter().map(|rule| rule["most"].as_u64().unwrap()).collect();
    assert!(most.is_sorted() && most.len() == 4, "{rules:#}");
}

#[test]
fn a_build_warns_when_its_cache_mounts_will_be_dropped() {
    let Some(project) = TestProject::new() else { return };
    let policy = serde_json::json!([{"filter": ["type=exec.cachemount", "unused-for=48h"], "maxUsedSpace": "1MB"}]);
    let settings = serde_json::json!({"builder": {"gc": {"enabled": true, "policy": policy}}});
    let Some(second) = SecondEngine::start_with(settings, false) else { return };
    project.write("Dockerfile", &format!("{BASE}RUN --network=none --mount=type=cache,target=/kept ls\n"));
    project.compose("services:\n  app: {build: .}\n");
    let output = project.command("").env("DOCKER_HOST", second.socket()).output().unwrap();
    let warning = "warning: the engine drops cache mounts that are not used for 48 h";
    assert!(stderr(&output).contains(warning), "{}", stderr(&output));
}

#[test]
fn wrong_use_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, complaint) in [
        ("prune", "--older-than <TIME>"),
        ("prune --keep 10", "`10` is not a size such as 500MB or 10GB"),
        ("prune --older-than soon", "`soon` is not a time such as 30m, 48h or 7d"),
        ("--builder ssh://nowhere", "`ssh://nowhere`: expected unix:///PATH or tcp://HOST:PORT"),
    ] {
        let output = tool(folder.path()).arg("builder").args(arguments.split(' ')).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {}", stderr(&output));
        assert!(stderr(&output).contains(complaint), "{arguments}: {}", stderr(&output));
    }
}
