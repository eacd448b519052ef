//! The ways of building that are compared, as command lines.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{
    host::Host,
    project::{BenchProject, Pair},
    scenario::Scenario,
};
use crate::compose::{Context, Dockerfile, Service};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Variant {
    /// Plain Dockerfiles, one `docker build` after the other.
    Before,
    /// The optimised ones through `slipway build`.
    Xtask,
    /// The optimised ones through `docker buildx bake`.
    Bake,
    /// The optimised ones through `docker compose build`.
    Compose,
    /// The same programs without images, built on the machine itself.
    Host,
}

/// Where variants build. Those in one environment build the same, and share what is kept there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Environment {
    EngineOfPlain,
    EngineOfOptimised,
    Host,
}

/// What `slipway build` is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Competitor {
    /// Plain Dockerfiles, one `docker build` after the other
    Plain,
    /// The optimised file through `docker buildx bake`
    Bake,
    /// The optimised file through `docker compose build`
    Compose,
    /// The same programs without images, built by the command that `x-bench` names (`host`)
    Host,
}

impl From<Competitor> for Variant {
    fn from(competitor: Competitor) -> Variant {
        match competitor {
            Competitor::Plain => Variant::Before,
            Competitor::Bake => Variant::Bake,
            Competitor::Compose => Variant::Compose,
            Competitor::Host => Variant::Host,
        }
    }
}

/// What the variants' commands are made of.
pub(super) struct Inputs<'a> {
    pub(super) docker: &'a Path,
    /// The project in the working copy.
    pub(super) project: &'a BenchProject,
    /// The compose file that [`write_network_file`] has written.
    pub(super) network: &'a Path,
    pub(super) host: Option<&'a Host>,
}

impl Variant {
    pub(super) const ALL: [Variant; 5] =
        [Variant::Before, Variant::Xtask, Variant::Bake, Variant::Compose, Variant::Host];

    pub(super) fn name(self) -> &'static str {
        match self {
            Variant::Before => "before",
            Variant::Xtask => "xtask",
            Variant::Bake => "bake",
            Variant::Compose => "compose",
            Variant::Host => "host",
        }
    }

    pub(super) fn environment(self) -> Environment {
        match self {
            Variant::Before => Environment::EngineOfPlain,
            Variant::Xtask | Variant::Bake | Variant::Compose => Environment::EngineOfOptimised,
            Variant::Host => Environment::Host,
        }
    }

    /// What is no image has no context either.
    pub(super) fn takes_part_in(self, scenario: Scenario) -> bool {
        (self, scenario) != (Variant::Host, Scenario::DockerignoreOff)
    }

    /// Whether a compilation begins with what another has left, whichever sources that one saw.
    pub(super) fn keeps_results(self) -> bool {
        self.environment() != Environment::EngineOfPlain
    }

    /// The service as this variant builds it.
    pub(super) fn service(self, pair: &Pair) -> &Service {
        if self == Variant::Before { &pair.before } else { &pair.after }
    }

    /// What a user would type to build the services, in order. Steps get the machine's own network, because the
    /// bench's engines have none.
    pub(super) fn commands(self, inputs: &Inputs<'_>, pairs: &[&Pair]) -> Result<Vec<Command>> {
        let Inputs { docker, project, .. } = inputs;
        let mut command = match self {
            Variant::Before => return pairs.iter().map(|pair| plain(docker, &pair.before)).collect(),
            Variant::Host => return Ok(inputs.host.map(|host| host.command(pairs)).into_iter().collect()),
            Variant::Xtask => {
                let mut command = Command::new(std::env::current_exe().context("this program has no path")?);
                command.args(["build", "--progress", "plain"]);
                command
            }
            Variant::Bake => {
                let mut command = Command::new(docker);
                command.args(["buildx", "bake", "--progress", "plain", "--allow", "network.host", "--allow"]);
                command.arg(format!("fs.read={}", project.root.display()));
                command
            }
            Variant::Compose => {
                let mut command = Command::new(docker);
                command.args(["compose", "--progress", "plain"]);
                command
            }
        };
        for file in [project.compose_file.as_path(), inputs.network] {
            command.arg("--file").arg(file);
        }
        if self == Variant::Compose {
            command.arg("build");
        }
        command.args(pairs.iter().map(|pair| pair.name())).current_dir(folder_of(&project.compose_file));
        Ok(vec![command])
    }
}

fn plain(docker: &Path, service: &Service) -> Result<Command> {
    let mut command = Command::new(docker);
    command.args(["build", "--progress", "plain", "--network", "host", "--tag", &service.image]);
    if let Dockerfile::File(path) = &service.build.dockerfile {
        command.arg("--file").arg(path);
    }
    for (name, value) in &service.build.args {
        command.arg("--build-arg").arg(format!("{name}={value}"));
    }
    if let Some(target) = &service.build.target {
        command.args(["--target", target]);
    }
    match &service.build.context {
        Context::Folder(folder) => command.arg(folder),
        Context::Remote(address) => command.arg(address),
    };
    Ok(command)
}

/// Writes the compose file that is laid over the project's: the machine's network for steps that ask for none of
/// their own, and names for images that have none, which bake would leave nameless.
pub(super) fn write_network_file(project: &BenchProject, folder: &Path) -> Result<PathBuf> {
    let services = project.pairs.iter().map(|pair| {
        let network = pair.after.build.network.as_deref().unwrap_or("host");
        let service = serde_json::json!({"image": pair.after.image, "build": {"network": network}});
        (pair.name().to_owned(), service)
    });
    let services: serde_json::Map<_, _> = services.collect();
    let path = folder.join("network.yaml");
    let text = serde_json::to_string(&serde_json::json!({ "services": services }))?;
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

/// The variants in the order of a round: every one is first, second, ... equally often, so that a machine that gets
/// warm or busy is to nobody's advantage.
pub(super) fn in_turn(variants: &[Variant], round: u32) -> Vec<Variant> {
    let mut order = variants.to_vec();
    let length = order.len().max(1);
    order.rotate_left(round as usize % length);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_is_in_every_place_equally_often() {
        let variants = [Variant::Before, Variant::Xtask, Variant::Bake];
        let firsts: Vec<_> = (0..6).map(|round| in_turn(&variants, round)[0]).collect();
        assert_eq!(firsts, [&variants[..], &variants[..]].concat());
        assert_eq!(in_turn(&variants, 1), [Variant::Xtask, Variant::Bake, Variant::Before]);
    }
}
