//! The house's one-way streets: which file may know which foreign crate, and which package may
//! depend on which other. ARCHITECTURE.md tells why.

mod module_cycles;
mod module_paths;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A foreign crate, and the only places that may name it.
const MAY_NAME: [(&str, &[&str]); 10] = [
    (
        "temporalio_",
        &[
            "engine/src/temporal",
            "engine/temporal-connection/src",
            "workers/*/src/activities",
            "workers/transcription-worker/src/bin/noop_recogniser",
        ],
    ),
    ("whisper_rs", &["workers/transcription-worker/src/recogniser/whisper"]),
    ("ct2rs", &["workers/transcription-worker/src/recogniser/ctranslate2"]),
    ("async_openai", &["workers/llm-worker/src/provider/chat"]),
    ("symphonia", &["audio/src/decode"]),
    ("object_store", &["engine/src/store"]),
    ("axum", &["services/*/src"]),
    ("bollard", &["xtask/slipway/src/buildkit"]),
    // However it is imported: `env::var`, `env::vars_os`, or the functions out of a group.
    ("env::var", &MAY_READ_THE_ENVIRONMENT),
    ("env::{", &MAY_READ_THE_ENVIRONMENT),
];

const MAY_READ_THE_ENVIRONMENT: [&str; 4] =
    ["engine/src/config", "engine/src/native_env", "test-stack/src", "xtask/*/src"];

#[test]
fn foreign_crates_stay_in_their_rooms() {
    let mut trespasses = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        for (foreign, rooms) in MAY_NAME {
            let allowed = rooms.iter().any(|room| is_inside(&file, room));
            let named = text.lines().any(|line| !line.trim_start().starts_with("//") && names(line, foreign));
            if named && !allowed {
                trespasses.push(format!("{file} names {foreign}; only {rooms:?} may"));
            }
        }
    }
    assert!(trespasses.is_empty(), "{trespasses:#?}");
}

/// A handler that made an id of its own out of a request could reach another tenant's job: `api::OwnJob` makes them all.
#[test]
fn handlers_know_jobs_by_their_clients_alone() {
    let handlers = ["services/ingestion-api/src", "services/job-status-api/src"];
    for file in sources().into_iter().filter(|file| handlers.iter().any(|room| is_inside(file, room))) {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        assert!(!text.contains("JobId"), "{file} names engine::ids::JobId; take api::OwnJob out of the request");
    }
}

#[test]
fn names_are_found_in_every_spelling() {
    for (line, foreign, is_named) in [
        ("use axum::{Router, routing};", "axum", true),
        ("use temporalio_client::Client;", "temporalio_", true),
        ("let axum = 1;", "axum", false),
        ("    std::env::var(\"HOME\")", "env::var", true),
        ("use std::{env, fs}; let home = env::var_os(\"HOME\");", "env::var", true),
        ("use std::env::{self, var};", "env::{", true),
        ("let program = env::current_exe();", "env::var", false),
        ("use crate::native_env::{MemoryPolicy, native_env};", "env::{", false),
    ] {
        assert_eq!(names(line, foreign), is_named, "{line}");
    }
}

#[test]
fn packages_depend_one_way() {
    for manifest in manifests() {
        let text = fs::read_to_string(root().join(&manifest)).unwrap();
        // What only tests use may be the stack of processes that they start, too.
        let (of_tests, of_programs): (Vec<_>, Vec<_>) =
            text.split("\n[").partition(|section| section.starts_with("dev-dependencies]"));
        let ours: Vec<_> = PACKAGES.into_iter().filter(|name| depends_on(&of_programs.concat(), name)).collect();
        let ours_in_tests: Vec<_> = PACKAGES.into_iter().filter(|name| depends_on(&of_tests.concat(), name)).collect();
        let folder = manifest.trim_end_matches("/Cargo.toml").split('/').collect::<Vec<_>>();
        let allowed: &[&str] = match folder[..] {
            ["engine"] => &["temporal-connection"],
            ["services", "ingestion-api"] => &["api", "engine", "models"],
            ["services", "job-status-api"] => &["api", "engine"],
            ["audio"] | ["models"] | ["services", "api"] => &["engine"],
            ["workers", "ingestion-worker"] => &["audio", "engine"],
            ["cli", _] | ["workers", _] => &["engine", "models"],
            ["test-stack"] => &["supervisor", "tasks"],
            ["xtask", "front"] => &["supervisor", "tasks", "workspace-hack"],
            ["xtask", "slipway" | "supervisor"] => &["tasks"],
            _ => &[],
        };
        assert!(ours.iter().all(|name| allowed.contains(name)), "{manifest} depends on {ours:?}");
        let is_allowed_in_tests = |name: &&str| allowed.contains(name) || *name == "test-stack";
        assert!(ours_in_tests.iter().all(is_allowed_in_tests), "tests of {manifest} depend on {ours_in_tests:?}");
    }
}

/// The front of `cargo xtask` is compiled before anything else can begin, so it has to stay small.
#[test]
fn the_front_of_xtask_depends_on_little() {
    for part in ["front", "supervisor", "tasks"] {
        let manifest = fs::read_to_string(root().join("xtask").join(part).join("Cargo.toml")).unwrap();
        for heavy in ["bollard", "futures-util", "hyper-util", "prost", "reqwest", "tabled", "tokio", "tonic"] {
            assert!(!depends_on(&manifest, heavy), "{part} depends on {heavy}");
        }
    }
}

/// Anybody can build the images of a project of their own with it.
#[test]
fn the_image_tool_knows_nothing_of_longhand() {
    for file in
        sources().into_iter().filter(|file| file.starts_with("xtask/slipway/") || file.starts_with("xtask/tasks/"))
    {
        let text = fs::read_to_string(root().join(&file)).unwrap().to_lowercase();
        assert!(!text.contains("longhand"), "{file} names Longhand");
    }
}

const PACKAGES: [&str; 17] = [
    "api",
    "audio",
    "engine",
    "front",
    "ingestion-api",
    "ingestion-worker",
    "job-status-api",
    "llm-worker",
    "longhand",
    "models",
    "slipway",
    "supervisor",
    "tasks",
    "temporal-connection",
    "test-stack",
    "transcription-worker",
    "workspace-hack",
];

/// Whether a path in the line begins with the crate, or with a crate of that prefix, or has those names in it.
fn names(line: &str, foreign: &str) -> bool {
    line.match_indices(foreign).any(|(at, _)| {
        let is_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        let rest = line[at..].trim_start_matches(is_of_name);
        !line[..at].ends_with(is_of_name) && (rest.starts_with("::") || foreign.contains("::"))
    })
}

fn depends_on(manifest: &str, package: &str) -> bool {
    manifest
        .lines()
        .any(|line| line.starts_with(&format!("{package}.workspace")) || line.starts_with(&format!("{package} =")))
}

/// `room` is a path's beginning; `*` stands for one folder.
fn is_inside(file: &str, room: &str) -> bool {
    let mut parts = file.split('/');
    room.split('/').all(|expected| {
        parts
            .next()
            .is_some_and(|part| expected == "*" || part == expected || part.strip_suffix(".rs") == Some(expected))
    })
}

fn manifests() -> Vec<String> {
    found("Cargo.toml").into_iter().filter(|path| path != "Cargo.toml").collect()
}

/// All of the programs' own sources; tests may look anywhere.
fn sources() -> Vec<String> {
    found(".rs").into_iter().filter(|path| path.contains("/src/")).collect()
}

fn found(ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for room in ["audio", "cli", "engine", "models", "services", "test-stack", "workers", "workspace-hack", "xtask"] {
        walk(&root().join(room), ending, &mut found);
    }
    assert!(!found.is_empty());
    found
}

fn walk(folder: &Path, ending: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, ending, found);
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
