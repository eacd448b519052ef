//! The images that Dockerfiles begin with. They are put into the bench's engines before anything is measured, so
//! that no pull is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::own_engine::OwnEngine;
use super::process::{output_of, run_timed};
use super::subject::Subject;
use super::variant::Variant;
use crate::compose::{BuildSection, Dockerfile, NamedContext};
use crate::interrupt::Interrupt;
use crate::output::say;

/// The images that the Dockerfiles of these variants name.
pub(super) fn named_by(subject: &Subject, variants: &[Variant]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let services = subject.pairs.iter().flat_map(|pair| variants.iter().map(|variant| variant.service(pair)));
    for service in services {
        let text = match &service.build.dockerfile {
            Dockerfile::Inline(text) => text.clone(),
            Dockerfile::File(path) => {
                fs::read_to_string(path).with_context(|| format!("there is no Dockerfile {}", path.display()))?
            }
        };
        names.extend(base_images(&text, &service.build));
    }
    Ok(names)
}

/// Copies what the user's engine has, has the rest pulled, and keeps all of it in a file for engines to come.
pub(super) fn provide(
    names: &BTreeSet<String>,
    engine: &OwnEngine,
    docker: &Path,
    file: &Path,
    interrupt: &Interrupt,
) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let log = file.with_extension("log");
    for name in names {
        say(format_args!("base image {name}"));
        let mut inspect = Command::new(docker);
        inspect.args(["image", "inspect", name]).stdout(Stdio::null()).stderr(Stdio::null());
        if inspect.status().is_ok_and(|status| status.success()) {
            run_timed(Command::new(docker).args(["image", "save", "--output"]).arg(file).arg(name), &log, interrupt)?;
            load(engine, file, interrupt)?;
        } else if let Err(error) = run_timed(engine.docker().args(["pull", name]), &log, interrupt) {
            bail!(
                "the base image {name} is not in your engine, and: {error:#}\n\
                 hint: where no registry answers, `cargo xtask bases -f FILE` makes base images, here once for each of \
                 the two compose files"
            );
        }
    }
    run_timed(engine.docker().args(["image", "save", "--output"]).arg(file).args(names), &log, interrupt).map(drop)
}

/// Puts what [`provide`] has kept into another engine.
pub(super) fn load(engine: &OwnEngine, file: &Path, interrupt: &Interrupt) -> Result<()> {
    if file.exists() {
        run_timed(
            engine.docker().args(["image", "load", "--input"]).arg(file),
            &file.with_extension("log"),
            interrupt,
        )?;
    }
    Ok(())
}

/// Whether the engine has them all and nothing besides.
pub(super) fn are_all_that_is_in(engine: &OwnEngine, names: &BTreeSet<String>) -> Result<bool> {
    let listed = output_of(engine.docker().args(["image", "ls", "--all", "--quiet", "--no-trunc"]))?;
    let ids: BTreeSet<&str> = listed.lines().collect();
    let mut inspect = engine.docker();
    inspect.args(["image", "inspect", "--format", "{{.Id}}"]).args(names);
    let expected = if names.is_empty() { String::new() } else { output_of(&mut inspect)? };
    Ok(ids == expected.lines().collect())
}

/// What a Dockerfile takes from elsewhere: its bases, the images that it copies from or mounts, and its frontend.
fn base_images(text: &str, build: &BuildSection) -> BTreeSet<String> {
    let mut arguments: BTreeMap<String, String> = BTreeMap::new();
    let mut own: BTreeSet<String> = build.additional_contexts.keys().cloned().collect();
    own.insert("scratch".to_owned());
    let mut found = BTreeSet::new();
    for context in build.additional_contexts.values() {
        if let NamedContext::Remote(address) = context {
            found.extend(address.strip_prefix("docker-image://").map(str::to_owned));
        }
    }
    for line in joined_lines(text) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let instruction = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
        match instruction.as_str() {
            "#" => found.extend(words.get(1).and_then(|word| word.strip_prefix("syntax=")).map(str::to_owned)),
            "ARG" => {
                for (name, default) in words[1..].iter().filter_map(|word| word.split_once('=')) {
                    let value = build.args.get(name).map_or(default.trim_matches('"'), String::as_str);
                    arguments.entry(name.to_owned()).or_insert_with(|| value.to_owned());
                }
            }
            "FROM" => {
                let mut names = words[1..].iter().filter(|word| !word.starts_with("--"));
                let image = names.next().map(|name| filled_in(name, &arguments)).unwrap_or_default();
                if !own.contains(&image) {
                    found.insert(image);
                }
                own.extend(names.nth(1).map(|stage| (*stage).to_owned()));
            }
            "COPY" | "RUN" | "ADD" => {
                let sources = words.iter().filter_map(|word| word.strip_prefix("--")).filter_map(source);
                let foreign = |source: &&str| !own.contains(*source) && source.parse::<usize>().is_err();
                found.extend(sources.filter(foreign).map(str::to_owned));
            }
            _ => {}
        }
    }
    found
}

/// The `X` of `--from=X` or `--mount=...,from=X`.
fn source(flag: &str) -> Option<&str> {
    let (_, settings) = flag.split_once("mount=").unwrap_or(("", flag));
    settings.split(',').find_map(|setting| setting.strip_prefix("from="))
}

fn joined_lines(text: &str) -> Vec<String> {
    text.replace("\\\n", " ").lines().map(|line| line.trim().to_owned()).collect()
}

/// Puts arguments' values in the place of `$NAME`, `${NAME}` and `${NAME:-DEFAULT}`.
fn filled_in(written: &str, arguments: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = written.split_once('$') else { return written.to_owned() };
    let (inner, after) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((inner, after)) => (inner, after),
        None => rest.split_at(rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())),
    };
    let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
    let value = arguments.get(name).map_or(default, String::as_str);
    format!("{before}{value}{}", filled_in(after, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_names_its_images() {
        let text = "# syntax=docker/dockerfile:1\nARG RUST=1 SUITE=\"trixie\"\n\
                    FROM --platform=linux/amd64 rust:${RUST}-slim-$SUITE AS build\nARG RUST\n\
                    RUN --mount=type=cache,target=/x \\\n  --mount=type=bind,from=tools:2,target=/y make\n\
                    FROM build AS test\nfrom debian:${OTHER:-sid}\nCOPY --from=build /a /a\nCOPY --from=0 /b /b\n\
                    COPY --from=ghcr.io/x/uv:1 /uv /uv\nCOPY --from=shared /c /c\nFROM scratch\n";
        let mut build = section();
        build.args.insert("RUST".to_owned(), "1.95".to_owned());
        build
            .additional_contexts
            .insert("shared".to_owned(), NamedContext::Remote("docker-image://busybox".to_owned()));
        let found: Vec<_> = base_images(text, &build).into_iter().collect();
        let expected =
            ["busybox", "debian:sid", "docker/dockerfile:1", "ghcr.io/x/uv:1", "rust:1.95-slim-trixie", "tools:2"];
        assert_eq!(found, expected);
    }

    fn section() -> BuildSection {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("compose.yaml");
        fs::write(&file, "services: {a: {build: .}}\n").unwrap();
        let request = crate::compose::ProjectRequest { files: vec![file], ..Default::default() };
        crate::compose::Project::load(&request).unwrap().services.remove(0).build
    }
}
