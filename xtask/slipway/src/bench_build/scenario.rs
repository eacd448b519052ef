//! What happens between the build that sets the scene and the one that is timed.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::project::BenchProject;
use crate::compose::SourceChange;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scenario {
    /// All images in an engine that holds nothing but the base images; its cache is kept for the scenarios after it
    Cold,
    /// All images once more, with nothing changed
    NoOp,
    /// One service's image after a change of a line of its code
    Code,
    /// All images after a change of a line of code that they share
    Library,
    /// All images after a change of a dependency
    Dependency,
    /// All images without their ignore files, after the ignored folder has changed
    DockerignoreOff,
}

/// What has to hold for the programs in the images, compared with those of the unchanged sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expectation {
    Same,
    Different,
    /// Another compilation may give the same program or not.
    Either,
}

impl Scenario {
    pub(super) fn expectation(self) -> Expectation {
        match self {
            Scenario::NoOp | Scenario::DockerignoreOff => Expectation::Same,
            Scenario::Code | Scenario::Library => Expectation::Different,
            Scenario::Cold | Scenario::Dependency => Expectation::Either,
        }
    }

    pub(super) fn changes_sources(self) -> bool {
        matches!(self, Scenario::Code | Scenario::Library | Scenario::Dependency)
    }

    /// For headings.
    pub(super) fn title(self) -> &'static str {
        match self {
            Scenario::Cold => "empty cache",
            Scenario::NoOp => "nothing changed",
            Scenario::Code => "one line of code changed",
            Scenario::Library => "one line of shared code changed",
            Scenario::Dependency => "a dependency changed",
            Scenario::DockerignoreOff => "without .dockerignore",
        }
    }
}

/// A scenario, with the one service that it is about if it is not about all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) scenario: Scenario,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) service: Option<String>,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let images = self.service.as_deref().unwrap_or("all images");
        write!(formatter, "{}, {images}", self.scenario.title())
    }
}

/// What can be measured of the scenarios, and for the rest why not.
pub(super) fn cases(scenarios: &[Scenario], project: &BenchProject) -> (Vec<Case>, Vec<String>) {
    let (mut cases, mut missing) = (Vec::new(), Vec::new());
    let bench = &project.bench;
    for &scenario in scenarios {
        let needs = match scenario {
            Scenario::Library if bench.library.is_none() => "x-bench names no change for it (`library`)",
            Scenario::Dependency if bench.dependency.is_none() => "x-bench names no change for it (`dependency`)",
            Scenario::DockerignoreOff if bench.ignored.is_none() => "x-bench names no ignored folder (`ignored`)",
            Scenario::DockerignoreOff if !project.has_ignore_files => "the project has no ignore file",
            Scenario::Code => {
                for service in project.names() {
                    if bench.code.contains_key(service) {
                        cases.push(Case { scenario, service: Some(service.to_owned()) });
                    } else {
                        missing
                            .push(format!("{}, {service}: x-bench names no change for it (`code`)", scenario.title()));
                    }
                }
                continue;
            }
            _ => {
                cases.push(Case { scenario, service: None });
                continue;
            }
        };
        missing.push(format!("{}: {needs}", scenario.title()));
    }
    (cases, missing)
}

impl Case {
    /// The change of sources that the scenario is about, if it is about one.
    pub(super) fn change<'a>(&self, project: &'a BenchProject) -> Option<&'a SourceChange> {
        match (self.scenario, &self.service) {
            (Scenario::Code, Some(service)) => project.bench.code.get(service),
            (Scenario::Library, _) => project.bench.library.as_ref(),
            (Scenario::Dependency, _) => project.bench.dependency.as_ref(),
            _ => None,
        }
    }
}
