//! Base images: which are needed, how they are made where no registry answers, and builds on them.

use std::process::Output;

use crate::{
    engine::{TestProject, docker},
    tool::{stderr, stdout, tool},
};

/// A registry that exists nowhere: names that end so are never given to anybody.
const NOWHERE: &str = "registry.invalid/tool:1";

/// An image of the official kind that no registry is asked for in these tests. The day in its tag
/// makes the name one that nobody else uses.
const OF_A_DAY: &str = "debian:bookworm-20250102-slim";

fn bases(project: &TestProject, arguments: &[&str]) -> Output {
    tool(project.path()).arg("bases").args(arguments).output().unwrap()
}

#[test]
fn bases_are_listed_with_who_needs_them() {
    let Some(project) = TestProject::new() else { return };
    project.write(
        "Dockerfile",
        &format!(
            "# syntax=docker/dockerfile:1\nARG RELEASE=trixie\nFROM debian:${{RELEASE}}-20250101-slim AS one\n\
             FROM one\nCOPY --from={NOWHERE} /x /\nFROM python:2 AS unused\nFROM one AS lean\n"
        ),
    );
    project.compose(
        "services:\n  full: {build: {context: ., target: '1'}}\n  \
         lean: {build: {context: ., target: lean, args: {RELEASE: bookworm}}}\n",
    );
    let output = bases(&project, &["--list"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let listed: Vec<String> = stdout(&output).lines().map(|line| collapse(line.trim())).collect();
    let expected = [
        "base image in the store without a registry needed by",
        "debian:bookworm-20250101-slim no from the packages of Debian bookworm lean",
        "debian:trixie-20250101-slim no from the packages of Debian trixie full",
        "registry.invalid/tool:1 no not: only debian, rust and python are made from packages full",
    ];
    assert_eq!(listed, expected);
}

#[test]
fn a_project_that_cannot_be_read_is_wrong_use() {
    let empty = tempfile::tempdir().unwrap();
    let output = tool(empty.path()).arg("bases").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("no compose file in "), "{}", stderr(&output));
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_cannot_be_had_is_named_before_anything_is_made() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", &format!("FROM {NOWHERE}\n"));
    project.compose("services:\n  app: {build: .}\n");
    let expected = format!(
        "no registry answers for {NOWHERE}, which app needs, and it cannot be made here: \
         only debian, rust and python are made from packages"
    );
    for output in [bases(&project, &[]), bases(&project, &["--offline"]), project.build("--progress plain")] {
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
    }
}

#[test]
fn the_same_packages_give_the_same_digest() {
    let Some(project) = TestProject::new() else { return };
    project.write("Dockerfile", &format!("FROM {OF_A_DAY}\nRUN true\n"));
    project.compose("services:\n  app: {build: .}\n");
    let made = || {
        let output = bases(&project, &["--offline"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let prefix = format!("made {OF_A_DAY}, ");
        let text = stderr(&output);
        text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let digests = [made(), made()];
    let stored = docker(&["image", "inspect", "--format", "{{.Id}}", OF_A_DAY]);
    // The engine has it under this very digest, and builds take it from there.
    let built = project.build("--progress quiet");
    docker(&["image", "rm", "--force", OF_A_DAY]);
    assert_eq!(digests[0], digests[1]);
    assert_eq!(stdout(&stored).trim(), digests[0]);
    assert_eq!(built.status.code(), Some(0), "{}", stderr(&built));
}

/// Where registries answer, this is an ordinary build; where none does, the bases are made here,
/// the `# syntax=` line is served by the engine itself, and the package registries are reached from
/// inside by this machine's settings and certificates.
#[test]
fn a_project_on_usual_bases_builds_as_it_is() {
    let Some(project) = TestProject::new() else { return };
    project.write("debian/Dockerfile", "# syntax=docker/dockerfile:1\nFROM debian:trixie-slim\nRUN apt-get update && apt-get install --yes --no-install-recommends sl > /log\n");
    project.write(
        "rust/Dockerfile",
        "FROM rust:1-slim-trixie AS build\nCOPY . /app\nWORKDIR /app\nRUN cargo build --release\n\
         FROM debian:trixie-slim\nCOPY --from=build /app/target/release/app /usr/local/bin/\n\
         RUN app > /log\n",
    );
    project.write("rust/Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n[dependencies]\nitoa = \"1\"\n");
    project.write("rust/src/main.rs", "fn main() { print!(\"{}\", itoa::Buffer::new().format(41 + 1)); }\n");
    project.write(
        "python/Dockerfile",
        "FROM python:3.11-slim AS build\nRUN pip install --no-cache-dir six==1.17.0\n\
         FROM python:3.11-slim\n\
         COPY --from=build /usr/local/lib/python3.11/site-packages /usr/local/lib/python3.11/site-packages\n\
         RUN python -c 'import six; print(six.__version__, end=\"\")' > /log\n",
    );
    project.compose("services:\n  debian: {build: debian}\n  rust: {build: rust}\n  python: {build: python}\n");
    let output = project.build("--progress plain");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(project.file("rust", "/log"), "42");
    assert_eq!(project.file("python", "/log"), "1.17.0");
    assert!(project.file("debian", "/log").contains("Setting up sl"));
}
