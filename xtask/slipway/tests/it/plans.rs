//! What compose projects come to. Each folder of `projects/` is a project with the plan that is
//! expected of it; each file of `projects/errors/` begins with the message that is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;

use crate::tool::{projects, stderr, stdout, tool};

const UNUSABLE: i32 = 2;

#[test]
fn projects_come_to_the_expected_plans() {
    let mut seen = 0;
    for folder in entries(&projects()).into_iter().filter(|path| !path.ends_with("errors")) {
        let output = plan(&folder, &read_or_empty(&folder.join("arguments")));
        assert_eq!(output.status.code(), Some(0), "{}: {}", folder.display(), stderr(&output));
        let text = stdout(&output).replace(&*folder.to_string_lossy(), "$PROJECT");
        let found: Value = serde_json::from_str(&text).unwrap();
        let expected = read_or_empty(&folder.join("expected.json"));
        let expected: Value = serde_json::from_str(&expected).unwrap_or_default();
        assert_eq!(found["images"], expected["images"], "{}:\n{text}", folder.display());
        assert_eq!(found["project"], expected["project"], "{}", folder.display());
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} projects");
}

#[test]
fn bad_projects_are_refused_with_file_and_line() {
    let folder = projects().join("errors");
    let mut seen = 0;
    for file in entries(&folder).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
        let text = fs::read_to_string(&file).unwrap();
        let expected = text.lines().next().unwrap().trim_start_matches("# ");
        let output = plan(&folder, &format!("-f {}", file.file_name().unwrap().display()));
        assert_eq!(output.status.code(), Some(UNUSABLE), "{}", file.display());
        let message = stderr(&output).replace(&format!("{}/", folder.display()), "");
        let message = message.replace("error: ", "");
        assert!(message.starts_with(expected), "{}:\n{message}", file.display());
        assert!(stdout(&output).is_empty());
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} files");
}

#[test]
fn unknown_images_and_missing_files_are_named() {
    let folder = projects().join("profiles");
    let output = plan(&folder, "nosuch");
    assert_eq!(output.status.code(), Some(UNUSABLE));
    let expected = "there is no service `nosuch`; those with images to build: always, debug, other";
    assert!(stderr(&output).contains(expected), "{}", stderr(&output));

    let empty = tempfile::tempdir().unwrap();
    let output = plan(empty.path(), "");
    assert_eq!(output.status.code(), Some(UNUSABLE));
    assert!(stderr(&output).contains("no compose file in "), "{}", stderr(&output));
}

#[test]
fn the_command_line_is_laid_over_the_project() {
    let folder = projects().join("everything");
    let arguments = "short --target stage --build-arg ADDED=1 --pull --no-cache --platform linux/riscv64 \
                     --cache-from example.com/more --cache-to type=inline -j 3";
    let output = plan(&folder, arguments);
    let plan: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let build = &plan["images"][0]["build"];
    let expected = serde_json::json!({
        "target": "stage",
        "args": {"ADDED": "1"},
        "pull": true,
        "no_cache": true,
        "platforms": ["linux/riscv64"],
        "cache_from": [{"type": "registry", "ref": "example.com/more"}],
        "cache_to": [{"type": "inline"}],
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&build[key], value, "{key}");
    }
    assert_eq!(plan["parallel"], 3);
}

#[test]
fn single_images_can_be_changed() {
    let folder = projects().join("anchors");
    let output = plan(
        &folder,
        "--set *.args.ONE=one --set second.target=stage --set second.tags=example.com/a,example.com/b \
         --set first.no-cache=true --set *.labels.note=here --set first.dockerfile=./Dockerfile",
    );
    let plan_of: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let [first, second] = [&plan_of["images"][0], &plan_of["images"][1]];
    assert_eq!((&first["build"]["args"]["ONE"], &second["build"]["args"]["ONE"]), (&"one".into(), &"one".into()));
    assert_eq!((&first["build"]["target"], &second["build"]["target"]), (&Value::Null, &"stage".into()));
    assert_eq!(second["tags"], serde_json::json!(["example.com/a", "example.com/b"]));
    assert_eq!((&first["build"]["no_cache"], &second["build"]["no_cache"]), (&true.into(), &Value::Null));
    assert_eq!(second["build"]["labels"]["note"], "here");

    let refusals = [
        ("web.target=x", "no image that is built is called `web`"),
        ("first.colour=red", "`colour` cannot be set; what can: args.NAME"),
        ("first.pull=maybe", "`maybe` is neither true nor false"),
        ("first", "expected IMAGE.KEY=VALUE"),
    ];
    for (setting, expected) in refusals {
        let output = plan(&folder, &format!("--set {setting}"));
        assert_eq!(output.status.code(), Some(UNUSABLE));
        assert!(stderr(&output).contains(expected), "{setting}: {}", stderr(&output));
    }
}

fn plan(folder: &Path, arguments: &str) -> Output {
    let mut command = tool(folder);
    command.args(["build", "--check", "--progress", "json"]).args(arguments.split_whitespace());
    for line in read_or_empty(&folder.join("environment")).lines() {
        let (name, value) = line.split_once('=').unwrap();
        command.env(name, value);
    }
    command.output().unwrap()
}

fn read_or_empty(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}
