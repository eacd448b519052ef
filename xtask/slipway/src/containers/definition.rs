//! What a project is made of, as Docker Compose understands its files.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

/// A project, its variables filled in and its files merged.
#[derive(Debug, Deserialize)]
pub(super) struct Definition {
    pub(super) name: String,
    #[serde(default)]
    pub(super) services: BTreeMap<String, Service>,
    /// Services that a file took away, and why.
    #[serde(default, rename = "x-left-out")]
    pub(super) left_out: BTreeMap<String, String>,
    /// The service in which programs are compiled; its command's arguments are the names of the services that run them.
    #[serde(default, rename = "x-compiler")]
    pub(super) compiler: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Service {
    /// Containers of it; one where nothing is said.
    pub(super) scale: Option<u32>,
    #[serde(default)]
    pub(super) ports: Vec<Port>,
    /// How its image is built; none where a registry has to give it.
    build: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Port {
    /// Address on this machine; all of them where it is not set.
    pub(super) host_ip: Option<String>,
    /// Port on this machine, or a range; the engine chooses one where it is not set.
    pub(super) published: Option<String>,
}

impl Definition {
    /// The services that are started, which leaves out what only `docker compose run` starts.
    pub(super) fn started_services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().filter(|(_, service)| service.scale != Some(0)).map(|(name, _)| name.as_str())
    }

    /// Whether a service's image is the project's own.
    pub(super) fn builds(&self, service: &str) -> bool {
        self.services.get(service).is_some_and(|service| service.build.is_some())
    }
}
