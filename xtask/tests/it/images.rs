//! The project's own images, as far as they can be tested without compiling them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::engine::TestProject;
use crate::tool::stderr;

/// How the sources come to cargo's results of earlier builds.
const SYNC: &str = "rsync --recursive --links --perms --checksum --delete --exclude=/target /context/ /build/";

/// The most that is sent to the engine for a first build, in bytes.
const LARGEST_CONTEXT: u64 = 2 << 20;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The times of files that a build is given can be older than cargo's results of another version:
/// then cargo takes the program that it has, which is the wrong one.
#[test]
fn going_back_to_an_earlier_version_ships_that_version() {
    let dockerfile = fs::read_to_string(workspace().join("dockerfiles/Dockerfile")).unwrap();
    assert!(dockerfile.contains(SYNC), "the images are built otherwise than this test");
    let Some(project) = TestProject::new() else { return };
    let cache = project.image("cache");
    project.write(
        "Dockerfile",
        &format!(
            "FROM rust:1-slim-trixie AS build\nRUN apt-get update && apt-get install --yes rsync\nWORKDIR /build\n\
             ARG ROUND\nRUN --mount=type=bind,target=/context --mount=type=cache,id={cache},target=/build,sharing=locked \\\n\
             {SYNC} && cargo build --release --offline && install -D -t /programs target/release/app\n\
             FROM rust:1-slim-trixie\nCOPY --from=build /programs/app /\nRUN /app > /told\n"
        ),
    );
    project.write(".dockerignore", "*\n!Cargo.toml\n!src\n");
    project.write("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");
    project.compose("services:\n  app: {build: .}\n");
    for (round, version) in ["A", "B", "A"].into_iter().enumerate() {
        project.write("src/main.rs", &format!("fn main() {{ print!(\"{version}\"); }}\n"));
        // As out of an archive. The engine itself needs times that differ to see a change at all.
        let old = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 50 + round as u64);
        File::options().append(true).open(project.path().join("src/main.rs")).unwrap().set_modified(old).unwrap();
        // Without another argument the engine would remember the first round's result.
        let output = project.build(&format!("--progress plain --build-arg ROUND={round}"));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(project.file("app", "/told"), version);
    }
}

/// What of the workspace is not ignored, by its size.
#[test]
fn the_context_is_small() {
    let ignored = ["target", "tests", "snapshots", ".git"];
    let mut open: Vec<PathBuf> =
        ["cli", "engine", "services", "workers", "Cargo.lock"].map(|name| workspace().join(name)).into();
    let mut bytes = 0;
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match fs::read_dir(&path) {
            _ if ignored.contains(&name.as_str()) => {}
            Ok(entries) => open.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => bytes += fs::metadata(&path).unwrap().len(),
        }
    }
    assert!(bytes < LARGEST_CONTEXT, "{bytes} bytes");
}
