//! Which base images can be made here, and what goes into them. Tags are read as the official
//! images on Docker Hub use them.

use std::{collections::BTreeMap, fmt};

use anyhow::Result;

use super::{archive, reference::Reference, root, suites, toolchain::Toolchain};
use crate::buildkit::Engine;

/// What every image made here has, so that what runs in it reaches the registries by HTTPS.
const ALWAYS: [&str; 1] = ["ca-certificates"];
/// What the official Rust image adds to Debian.
const RUST: [&str; 2] = ["gcc", "libc6-dev"];
const PYTHON: [&str; 4] = ["python3", "python3-pip", "python3-venv", "libpython3-dev"];
/// The most used part of what images add whose tag is not `slim`.
const NOT_SLIM: [&str; 6] = ["build-essential", "curl", "git", "libssl-dev", "pkg-config", "wget"];

#[derive(Debug)]
pub(super) struct Recipe {
    suite: &'static str,
    is_slim: bool,
    contents: Contents,
}

#[derive(Debug)]
enum Contents {
    Debian,
    Rust(Toolchain),
    /// With its version, as in 3.13.
    Python(&'static str),
}

impl Recipe {
    /// # Errors
    /// Why no image of this name can be made here, as a part of a sentence.
    pub(super) fn find(reference: &Reference) -> Result<Recipe, String> {
        if reference.digest.is_some() {
            return Err("its digest is that of one build, which cannot be repeated".to_owned());
        }
        let name = reference.official_name().unwrap_or_default();
        if !matches!(name, "debian" | "rust" | "python") {
            return Err("only debian, rust and python are made from packages".to_owned());
        }
        let tag = Tag::parse(&reference.tag)?;
        match name {
            "rust" => tag.rust(&Toolchain::installed()),
            "python" => tag.python(),
            _ => tag.debian(),
        }
    }

    /// Makes the image and loads it into the engine under this name. Returns its digest.
    pub(super) async fn make(&self, engine: &Engine, reference: &Reference) -> Result<String> {
        let folder = tempfile::Builder::new().prefix("bases-").tempdir()?;
        let host = super::host::Settings::of_this_machine(folder.path()).await?;
        let mut layers = vec![root::make(&self.root(), &host, folder.path()).await?];
        if let Contents::Rust(toolchain) = &self.contents {
            layers.push(toolchain.layer(&host, folder.path()).await?);
        }
        let image = archive::Image {
            name: reference.to_string(),
            environment: self.environment(&host),
            command: vec![self.command().to_owned()],
            made_from: self.to_string(),
        };
        archive::load(engine, &image, layers, folder.path()).await
    }

    fn root(&self) -> root::Root {
        let mut packages: Vec<&'static str> = ALWAYS.to_vec();
        match self.contents {
            Contents::Debian => {}
            Contents::Rust(_) => packages.extend(RUST),
            Contents::Python(_) => packages.extend(PYTHON),
        }
        if !self.is_slim && !matches!(self.contents, Contents::Debian) {
            packages.extend(NOT_SLIM);
        }
        let python = match self.contents {
            Contents::Python(version) => Some(version),
            _ => None,
        };
        root::Root { suite: self.suite, packages, has_manuals: !self.is_slim, python }
    }

    fn environment(&self, host: &super::host::Settings) -> BTreeMap<String, String> {
        let usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let mut environment: BTreeMap<String, String> = host.environment();
        let mut set = |name: &str, value: String| drop(environment.insert(name.to_owned(), value));
        match &self.contents {
            Contents::Debian => set("PATH", usual.to_owned()),
            Contents::Rust(toolchain) => {
                set("PATH", format!("{}/bin:{usual}", super::toolchain::CARGO_HOME));
                set("CARGO_HOME", super::toolchain::CARGO_HOME.to_owned());
                set("RUSTUP_HOME", super::toolchain::RUSTUP_HOME.to_owned());
                set("RUST_VERSION", toolchain.version.clone());
            }
            Contents::Python(version) => {
                set("PATH", usual.to_owned());
                set("LANG", "C.UTF-8".to_owned());
                set("PYTHON_VERSION", (*version).to_owned());
            }
        }
        environment
    }

    fn command(&self) -> &'static str {
        if matches!(self.contents, Contents::Python(_)) { "python3" } else { "bash" }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the packages of Debian {}", self.suite)?;
        match &self.contents {
            Contents::Debian => Ok(()),
            Contents::Rust(toolchain) => write!(formatter, " and this machine's Rust {}", toolchain.version),
            Contents::Python(version) => write!(formatter, " with their Python {version}"),
        }
    }
}

/// A tag such as `3.11-slim-bookworm`, taken apart.
#[derive(Debug, Default, PartialEq)]
struct Tag<'a> {
    version: Option<&'a str>,
    suite: Option<&'static str>,
    is_slim: bool,
}

impl<'a> Tag<'a> {
    fn parse(tag: &'a str) -> Result<Tag<'a>, String> {
        let mut parsed = Tag::default();
        for part in tag.split('-') {
            let is_number = part.chars().all(|character| character.is_ascii_digit() || character == '.');
            match part {
                "slim" => parsed.is_slim = true,
                "latest" => {}
                // The day of a build: today's packages are the closest to it that there are.
                day if is_number && day.len() == 8 => {}
                version if is_number => parsed.version = Some(version),
                name => {
                    let known = suites::by_name_or_number(name);
                    parsed.suite = Some(known.ok_or_else(|| format!("`{name}` is no release of Debian"))?);
                }
            }
        }
        Ok(parsed)
    }

    fn debian(&self) -> Result<Recipe, String> {
        let suite = match (self.suite, self.version) {
            (Some(suite), _) => suite,
            (None, Some(number)) => suites::by_name_or_number(number)
                .ok_or_else(|| format!("there is no Debian {number} to make it from"))?,
            (None, None) => suites::STABLE,
        };
        Ok(Recipe { suite, is_slim: self.is_slim, contents: Contents::Debian })
    }

    fn rust(&self, installed: &[Toolchain]) -> Result<Recipe, String> {
        let fits =
            |toolchain: &&Toolchain| self.version.is_none_or(|version| suites::is_version(&toolchain.version, version));
        let Some(toolchain) = installed.iter().find(fits) else {
            let versions: Vec<&str> = installed.iter().map(|toolchain| toolchain.version.as_str()).collect();
            let version = self.version.unwrap_or("stable");
            return Err(format!(
                "Rust {version} is not installed here ({}); run `rustup toolchain install {version}`, or name another",
                if versions.is_empty() { "rustup has no toolchain".to_owned() } else { versions.join(", ") }
            ));
        };
        let suite = self.suite.unwrap_or(suites::STABLE);
        Ok(Recipe { suite, is_slim: self.is_slim, contents: Contents::Rust(toolchain.clone()) })
    }

    fn python(&self) -> Result<Recipe, String> {
        let requested = self.version.unwrap_or("3");
        let suite = self.suite.or_else(|| suites::with_python(self.version));
        let found = suite.and_then(|suite| Some((suite, suites::python_of(suite)?)));
        // A third number is a patch release, of which Debian has just one.
        let minor: Vec<&str> = requested.splitn(3, '.').take(2).collect();
        match found.filter(|(_, version)| suites::is_version(version, &minor.join("."))) {
            Some((suite, version)) => Ok(Recipe { suite, is_slim: self.is_slim, contents: Contents::Python(version) }),
            None => Err(format!("Debian has no Python {requested} there; it has {}", suites::pythons())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(image: &str) -> String {
        let toolchains = ["1.95.0", "1.80.1"].map(Toolchain::for_tests);
        let reference = Reference::parse(image);
        let tag = Tag::parse(&reference.tag);
        let recipe = tag.and_then(|tag| match reference.official_name() {
            Some("rust") => tag.rust(&toolchains),
            Some("python") => tag.python(),
            _ => tag.debian(),
        });
        match recipe {
            Ok(recipe) => format!("{recipe}{}", if recipe.is_slim { ", slim" } else { "" }),
            Err(reason) => format!("not: {reason}"),
        }
    }

    #[test]
    fn tags_tell_what_an_image_is_made_of() {
        let table = [
            ("debian:trixie-slim", "the packages of Debian trixie, slim"),
            ("debian:bookworm-20240101", "the packages of Debian bookworm"),
            ("debian:12.5-slim", "the packages of Debian bookworm, slim"),
            ("debian", "the packages of Debian trixie"),
            ("debian:7", "not: there is no Debian 7 to make it from"),
            ("rust:1-slim", "the packages of Debian trixie and this machine's Rust 1.95.0, slim"),
            ("rust:1.80-bookworm", "the packages of Debian bookworm and this machine's Rust 1.80.1"),
            (
                "rust:1.9",
                "not: Rust 1.9 is not installed here (1.95.0, 1.80.1); run `rustup toolchain install 1.9`, or name another",
            ),
            ("rust:1-alpine", "not: `alpine` is no release of Debian"),
            ("python:3.11-slim", "the packages of Debian bookworm with their Python 3.11, slim"),
            ("python:3.13.1-slim-trixie", "the packages of Debian trixie with their Python 3.13, slim"),
            ("python:slim", "the packages of Debian trixie with their Python 3.13, slim"),
            ("python:3-bookworm", "the packages of Debian bookworm with their Python 3.11"),
        ];
        for (image, expected) in table {
            assert_eq!(described(image), expected, "{image}");
        }
        for image in ["python:3.12-slim", "python:3.12-slim-bookworm", "python:2"] {
            assert!(described(image).starts_with("not: Debian has no Python "), "{image}: {}", described(image));
        }
    }

    #[test]
    fn what_cannot_be_made_says_why() {
        let table = [
            ("nginx:1", "only debian, rust and python"),
            ("ghcr.io/library/debian:12", "only debian, rust and python"),
            ("debian:12@sha256:00", "its digest is that of one build"),
        ];
        for (image, reason) in table {
            let error = Recipe::find(&Reference::parse(image)).unwrap_err();
            assert!(error.starts_with(reason), "{image}: {error}");
        }
    }
}
