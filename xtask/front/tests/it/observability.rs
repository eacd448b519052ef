//! What Prometheus and Grafana are given, as Prometheus's own tool judges it.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;
use tasks::packages::answers;

use crate::repository;

/// False where Prometheus's tool is missing; then the test says so, and fails where that is not allowed.
fn promtool_answers() -> bool {
    let is_there = answers("promtool", &["--version"]);
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "promtool is missing: install the package prometheus");
        println!("skipped: no promtool");
    }
    is_there
}

fn compose_folder() -> PathBuf {
    repository().join("compose")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool").args(arguments).current_dir(compose_folder()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}:\n{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn configuration_and_alerts_are_right() {
    if !promtool_answers() {
        return;
    }
    for arguments in [
        ["check", "config", "prometheus/prometheus.yml"],
        ["check", "rules", "prometheus/rules/longhand.yml"],
        ["test", "rules", "prometheus/rules.test.yml"],
    ] {
        promtool(&arguments);
    }
}

/// A recording rule takes nothing but a query that Prometheus understands.
#[test]
fn every_query_of_every_dashboard_can_be_asked() {
    if !promtool_answers() {
        return;
    }
    let mut rules = String::from("groups:\n  - name: dashboards\n    rules:\n");
    let mut dashboards = 0;
    for entry in fs::read_dir(compose_folder().join("grafana/dashboards")).unwrap() {
        let dashboard: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        dashboards += 1;
        for query in queries(&dashboard) {
            rules += &format!("      - {{record: query:{}, expr: {}}}\n", rules.len(), Value::from(query));
        }
    }
    assert_eq!(dashboards, 4);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboards.yml");
    fs::write(&file, rules).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()]);
}

/// The queries of a dashboard with its variables filled in, as Grafana would.
fn queries(dashboard: &Value) -> Vec<String> {
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    targets
        .map(|target| {
            let query = target["expr"].as_str().unwrap().replace("$__rate_interval", "1m");
            variables.iter().fold(query, |query, variable| {
                let name = format!("${}", variable["name"].as_str().unwrap());
                query.replace(&name, variable["query"].as_str().unwrap())
            })
        })
        .collect()
}
