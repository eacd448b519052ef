//! What `lint` finds. Each folder of `lints/` is a project with the findings that are expected of
//! it; the folders that git cannot keep are made first.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::{
    engine::{BASE, TestProject},
    tool::{stderr, stdout, tool},
};

const FOUND: i32 = 1;
const UNUSABLE: i32 = 2;

fn lints() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lints")
}

/// A copy of a project, with its empty folders.
fn copy_of(project: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(project.join(".")).arg(copy.path()).status().unwrap();
    assert!(copied.success());
    let folders = fs::read_to_string(project.join("folders")).unwrap_or_default();
    folders.lines().for_each(|folder| fs::create_dir(copy.path().join(folder)).unwrap());
    copy
}

/// Without an engine, so that only this program's own rules speak.
fn lint(folder: &Path, arguments: &str) -> Output {
    lint_command(folder, arguments).output().unwrap()
}

fn lint_command(folder: &Path, arguments: &str) -> Command {
    let mut command = tool(folder);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").env_remove("PIP_INDEX_URL");
    command.arg("lint").args(arguments.split_whitespace());
    command
}

fn findings(output: &Output) -> Vec<Value> {
    let document: Value = serde_json::from_str(&stdout(output)).unwrap_or_else(|_| panic!("{}", stderr(output)));
    assert_eq!(document["format"], 1);
    document["findings"].as_array().unwrap().clone()
}

/// One line for each finding: place, weight, rule, and whether `--fix` mends it.
fn summary(output: &Output) -> String {
    let line = |finding: &Value| {
        let text = |field: &str| finding[field].as_str().unwrap().to_owned();
        let fixable = if finding["fixable"] == true { " fixable" } else { "" };
        format!("{}:{} {} {}{fixable}\n", text("file"), finding["line"], text("severity"), text("rule"))
    };
    findings(output).iter().map(line).collect()
}

#[test]
fn projects_have_the_expected_findings() {
    let mut seen = 0;
    for entry in fs::read_dir(lints()).unwrap() {
        let project = entry.unwrap().path();
        let copy = copy_of(&project);
        let output = lint(copy.path(), "--format json");
        let expected = fs::read_to_string(project.join("expected.txt")).unwrap_or_default();
        assert_eq!(summary(&output), expected, "{}:\n{}", project.display(), stderr(&output));
        let fails = expected.lines().any(|line| !line.contains(" note "));
        assert_eq!(output.status.code(), Some(if fails { FOUND } else { 0 }), "{}", project.display());
        let left_out = "left out: BuildKit's own checks: no container engine answers at unix:///nowhere/docker.sock";
        assert!(stderr(&output).contains(left_out), "{}", stderr(&output));
        seen += 1;
    }
    assert!(seen >= 18, "only {seen} projects");
}

#[test]
fn conflicting_pins_are_named_with_their_lines() {
    let output = lint(copy_of(&lints().join("conflicting-pins")).path(), "--format json");
    let found = findings(&output);
    let expected = [
        (
            "`mistralai==0.0.12` (requirements.txt:3) and `pydantic==2.5.0` (requirements.txt:4) cannot be installed",
            "ask for pydantic>=2.5.2,<3.0.0 instead of pydantic==2.5.0, or for another version of mistralai",
        ),
        ("`pydantic==2.5.0` (base.txt:1) and `pydantic==2.6.0` (two-lists.Dockerfile:4) cannot be", "ask for versions"),
    ];
    assert_eq!(found.len(), expected.len());
    for (finding, (why, fix)) in found.iter().zip(expected) {
        assert!(finding["why"].as_str().unwrap().starts_with(why), "{finding}");
        assert!(finding["fix"].as_str().unwrap().starts_with(fix), "{finding}");
    }
    let unknown = "left out: conflicting-pins of `private`: uv finds no solution, and not for a conflict of pins";
    assert!(stderr(&output).contains(unknown), "{}", stderr(&output));
}

#[test]
fn without_a_resolver_pins_are_left_out_visibly() {
    let copy = copy_of(&lints().join("conflicting-pins"));
    let empty = tempfile::tempdir().unwrap();
    let mut command = tool(copy.path());
    command.args(["lint", "own-metadata"]).env("PATH", empty.path()).env("SLIPWAY_CACHE", empty.path());
    let output = command.output().unwrap();
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("", Some(0)));
    let expected = "left out: conflicting-pins, for the resolver uv cannot be had: python3 cannot be run";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));
}

#[test]
fn text_tells_why_the_fix_and_the_saving() {
    let output = lint(copy_of(&lints().join("pip-mounts")).path(), "useless");
    let expected = "useless.Dockerfile:3: warning: useless-pip-cache-mount
  why     the cache mount stays empty, because pip is told not to use a cache
  fix     leave --no-cache-dir or PIP_NO_CACHE_DIR out: a mount is not in the image
  saves   most of the download each time a requirement changes (a guess)
  images  `useless`
";
    assert_eq!(stdout(&output), expected);
    assert!(stderr(&output).ends_with("1 warning\n"), "{}", stderr(&output));
}

#[test]
fn sarif_has_what_its_schema_requires() {
    let output = lint(copy_of(&lints().join("dockerignore")).path(), "--format sarif --ignore DL3006");
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(run["tool"]["driver"]["name"].is_string());
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert!(!place["artifactLocation"]["uri"].as_str().unwrap().starts_with('/'));
        assert_eq!(place["region"], json!({"startLine": 2, "endLine": 2}));
    }
}

#[test]
fn rules_are_ignored_by_either_name() {
    let copy = copy_of(&lints().join("base-images"));
    let output = lint(copy.path(), "bad --format json --ignore DL3006 --ignore latest-base-image");
    assert_eq!((summary(&output).as_str(), output.status.code()), ("", Some(0)));
    let output = lint(copy.path(), "--ignore no-such-rule");
    assert_eq!(output.status.code(), Some(UNUSABLE));
    assert!(stderr(&output).contains("--ignore no-such-rule: there is no such rule"), "{}", stderr(&output));
}

#[test]
fn what_is_no_dockerfile_is_refused_with_file_and_line() {
    for (text, message) in [
        ("# Nothing.\n", "Dockerfile:1: there is no FROM"),
        ("FROM scratch\n\nCOPPY a b\n", "Dockerfile:3: there is no instruction `COPPY`"),
        ("FROM scratch\nRUN <<EOF\nls\n", "Dockerfile:2: the here-document `EOF` has no end"),
        ("RUN ls\nFROM scratch\n", "Dockerfile:1: `RUN` stands before the first FROM"),
        ("FROM scratch\nCOPY a\n", "Dockerfile:2: COPY needs a source and a destination"),
        ("FROM a b\n", "Dockerfile:1: FROM takes an image and, after AS, a name"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Dockerfile"), text).unwrap();
        fs::write(folder.path().join("compose.yaml"), "services: {a: {build: .}}\n").unwrap();
        let output = lint(folder.path(), "");
        assert_eq!(output.status.code(), Some(UNUSABLE), "{text}");
        assert!(stderr(&output).contains(message), "{text}: {}", stderr(&output));
        assert!(stdout(&output).is_empty());
    }
}

#[test]
fn fixes_are_shown_and_leave_nothing_to_mend() {
    let mut seen = 0;
    for entry in fs::read_dir(lints()).unwrap() {
        let project = entry.unwrap().path();
        let copy = copy_of(&project);
        let before = lint(copy.path(), "--format json");
        if !summary(&before).contains(" fixable") {
            continue;
        }
        let output = lint(copy.path(), "--fix --format json");
        assert!(stderr(&output).contains("\n@@ "), "{}", stderr(&output));
        let changed: String = summary(&before).lines().filter(|line| !line.ends_with(" fixable")).collect();
        let left: String = summary(&output).lines().collect();
        // A mount for the registry is safe, one for the target folder is not: cargo's finding stays.
        let still_slow = left.replace("naive.Dockerfile:4 warning missing-cargo-cache-mount", "");
        assert_eq!(without_lines(&still_slow), without_lines(&changed), "{}", project.display());
        seen += 1;
    }
    assert!(seen >= 3, "only {seen} projects");
}

/// Fixes move what is below them.
fn without_lines(summary: &str) -> String {
    summary.chars().filter(|character| !character.is_ascii_digit()).collect()
}

#[test]
fn a_diff_shows_what_was_written_and_nothing_else_is() {
    let copy = copy_of(&lints().join("pip-mounts"));
    let output = lint(copy.path(), "naive here-document --fix");
    let shown = "--- a/naive.Dockerfile
+++ b/naive.Dockerfile
@@ -1,3 +1,4 @@
 FROM python:3.12-slim
 COPY requirements.txt .
-RUN pip install -r requirements.txt
+RUN --mount=type=cache,target=/root/.cache/pip \\
+    pip install -r requirements.txt
";
    assert!(stderr(&output).contains(shown), "{}", stderr(&output));
    let written = fs::read_to_string(copy.path().join("here-document.Dockerfile")).unwrap();
    assert!(written.contains("\nRUN --mount=type=cache,target=/root/.cache/pip <<EOF\n"), "{written}");
    for file in ["useless.Dockerfile", "uncached.Dockerfile", "requirements.txt", "compose.yaml"] {
        let unchanged = fs::read(copy.path().join(file)).unwrap();
        assert_eq!(unchanged, fs::read(lints().join("pip-mounts").join(file)).unwrap(), "{file}");
    }
}

/// A project whose step calls a program named as pip is.
fn pip_project() -> Option<TestProject> {
    let project = TestProject::new()?;
    project.write("root/bin/pip", "#!/bin/sh\nsleep 0.4\n");
    let program = project.path().join("root/bin/pip");
    fs::set_permissions(program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::create_dir_all(project.path().join(".git")).unwrap();
    project.write(".git/HEAD", "ref: refs/heads/main\n");
    project
        .write("Dockerfile", &format!("{BASE}FROM base AS final\nRUN pip install  flask \\\n  && ls /\nCOPY . /app\n"));
    project.compose("services:\n  app: {build: {context: ., network: none}}\n");
    Some(project)
}

#[test]
fn savings_are_measured_where_a_step_has_run() {
    let Some(project) = pip_project() else { return };
    let saving = |arguments: &str| {
        let mut command = lint_command(project.path(), &format!("--format json {arguments}"));
        let found = findings(&command.env("SLIPWAY_CACHE", project.cache()).output().unwrap());
        found.iter().find(|finding| finding["rule"] == "missing-pip-cache-mount").unwrap()["saving"].clone()
    };
    assert_eq!(saving("")["basis"], "guess");
    project.build_timed("");
    // Nothing runs in this one.
    project.build_timed("--verify");
    for (arguments, basis) in [("", "measured"), ("--timings 1", "measured"), ("--timings timings", "guess")] {
        let saving = saving(arguments);
        assert_eq!(saving["basis"], basis, "{arguments}: {saving}");
        let seconds = saving["seconds"].as_f64();
        assert!(basis == "guess" || (0.4..30.0).contains(&seconds.unwrap()), "{arguments}: {saving}");
    }

    let output = lint(project.path(), "--timings nowhere");
    assert_eq!(output.status.code(), Some(UNUSABLE));
    assert!(stderr(&output).contains("nowhere cannot be read"), "{}", stderr(&output));
}

#[test]
fn a_fixed_project_builds_with_the_same_content() {
    let Some(project) = pip_project() else { return };
    let output = lint(project.path(), "--fix --format json");
    assert!(!summary(&output).contains("fixable"), "{}", summary(&output));
    assert_eq!(fs::read_to_string(project.path().join(".dockerignore")).unwrap(), ".git\n");
    let built = project.build("--progress plain");
    assert_eq!(built.status.code(), Some(0), "{}", stderr(&built));
    assert!(stderr(&built).contains("--mount=type=cache,target=/root/.cache/pip"), "{}", stderr(&built));
    assert_eq!(project.file("app", "/app/.git/HEAD"), "");
    assert!(project.file("app", "/app/Dockerfile").contains("--mount=type=cache"));
}

#[test]
fn the_engines_own_checks_are_part_of_it() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", "FROM scratch AS Base\nFROM base AS final\n\nMAINTAINER nobody\n");
    project.compose("services:\n  file: {build: .}\n  inline:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM scratch AS one\n        # lint: ignore=buildkit-maintainer-deprecated\n        MAINTAINER nobody\n        FROM scratch as two\n");
    let output = tool(project.path()).args(["lint", "--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(FOUND), "{}", stderr(&output));
    let expected = "Dockerfile:1 warning buildkit-stage-name-casing
Dockerfile:4 warning buildkit-maintainer-deprecated
compose.yaml:11 warning buildkit-from-as-casing
";
    assert_eq!(summary(&output), expected);
    assert!(!stderr(&output).contains("left out"), "{}", stderr(&output));
}
