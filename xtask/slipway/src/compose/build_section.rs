//! What a service's `build:` says, typed. A key that is not supported is an error.

mod values;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::{
    fields::{boolean, bytes, text, texts},
    variables::Variables,
    yaml::Node,
};
use crate::build_inputs::{CacheStore, SecretSource};
use values::{arguments, cache_stores, context, extra_hosts, labels, named_contexts, secrets, ssh_agents};

/// The build section of one service, with absolute paths and every variable resolved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct BuildSection {
    pub(crate) context: Context,
    pub(crate) dockerfile: Dockerfile,
    pub(crate) args: BTreeMap<String, String>,
    pub(crate) target: Option<String>,
    pub(crate) additional_contexts: BTreeMap<String, NamedContext>,
    pub(crate) cache_from: Vec<CacheStore>,
    pub(crate) cache_to: Vec<CacheStore>,
    pub(crate) no_cache: bool,
    /// Stages that are built anew every time.
    pub(crate) no_cache_filter: Vec<String>,
    pub(crate) pull: bool,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    /// SSH agents' sockets.
    pub(crate) ssh: BTreeMap<String, PathBuf>,
    pub(crate) platforms: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) network: Option<String>,
    pub(crate) entitlements: Vec<String>,
    /// Host names and the addresses they stand for.
    pub(crate) extra_hosts: Vec<(String, String)>,
    /// Bytes.
    pub(crate) shm_size: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Context {
    Folder(PathBuf),
    /// A git repository or an archive that the engine fetches itself.
    Remote(String),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dockerfile {
    /// Absolute, or relative to a remote context.
    File(PathBuf),
    Inline(String),
}

impl fmt::Display for Dockerfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dockerfile::File(path) => write!(formatter, "{}", path.display()),
            Dockerfile::Inline(_) => formatter.write_str("dockerfile_inline"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NamedContext {
    Folder(PathBuf),
    /// The image of another service of the project.
    Service(String),
    /// An image, a git repository or an archive, as BuildKit writes it.
    Remote(String),
}

/// What a build section refers to outside itself.
pub(super) struct Surroundings<'a> {
    pub(super) folder: &'a Path,
    pub(super) variables: &'a Variables,
    /// The project's `secrets:`.
    pub(super) secrets: Option<&'a Node>,
}

impl BuildSection {
    /// The Dockerfile's text; none where only the engine can read it, in a remote context.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn dockerfile_text(&self) -> Result<Option<String>> {
        match (&self.dockerfile, &self.context) {
            (Dockerfile::Inline(text), _) => Ok(Some(text.clone())),
            (Dockerfile::File(_), Context::Remote(_)) => Ok(None),
            (Dockerfile::File(path), Context::Folder(_)) => {
                let text = std::fs::read_to_string(path);
                text.map(Some).with_context(|| format!("the Dockerfile {} cannot be read", path.display()))
            }
        }
    }

    pub(super) fn read(node: &Node, around: &Surroundings<'_>) -> Result<BuildSection> {
        let mut section = BuildSection::of_folder(around.folder);
        let mut dockerfile = None;
        for (key, value) in node.entries("`build`")? {
            match key.text.as_str() {
                "dockerfile" => dockerfile = Some(text(value, "build.dockerfile")?),
                name if name.starts_with("x-") => {}
                name if section.set(name, value, around)? => {}
                name => {
                    let message = format!("`build.{name}` is not supported; take it out to build without it");
                    return Err(node.place_of(key).error(message));
                }
            }
        }
        match (dockerfile, &section.dockerfile, &section.context) {
            (Some(_), Dockerfile::Inline(_), _) => {
                return Err(node.error("`dockerfile` and `dockerfile_inline` exclude each other"));
            }
            (None, Dockerfile::Inline(_), _) => {}
            (path, _, Context::Folder(folder)) => {
                let path = folder.join(path.as_deref().unwrap_or("Dockerfile"));
                section.dockerfile = Dockerfile::File(super::paths::clean(&path));
            }
            (path, _, Context::Remote(_)) => {
                section.dockerfile = Dockerfile::File(PathBuf::from(path.as_deref().unwrap_or("Dockerfile")));
            }
        }
        Ok(section)
    }

    fn of_folder(folder: &Path) -> BuildSection {
        BuildSection {
            context: Context::Folder(folder.to_owned()),
            dockerfile: Dockerfile::File(folder.join("Dockerfile")),
            args: BTreeMap::new(),
            target: None,
            additional_contexts: BTreeMap::new(),
            cache_from: Vec::new(),
            cache_to: Vec::new(),
            no_cache: false,
            no_cache_filter: Vec::new(),
            pull: false,
            labels: BTreeMap::new(),
            secrets: BTreeMap::new(),
            ssh: BTreeMap::new(),
            platforms: Vec::new(),
            tags: Vec::new(),
            network: None,
            entitlements: Vec::new(),
            extra_hosts: Vec::new(),
            shm_size: None,
        }
    }

    /// Whether the key is one that is supported.
    fn set(&mut self, name: &str, value: &Node, around: &Surroundings<'_>) -> Result<bool> {
        let what = format!("build.{name}");
        match name {
            "context" => self.context = context(&text(value, &what)?),
            "dockerfile_inline" => self.dockerfile = Dockerfile::Inline(text(value, &what)?),
            "args" => self.args = arguments(value, around.variables)?,
            "target" => self.target = Some(text(value, &what)?),
            "additional_contexts" => self.additional_contexts = named_contexts(value)?,
            "cache_from" => self.cache_from = cache_stores(value, &what)?,
            "cache_to" => self.cache_to = cache_stores(value, &what)?,
            "no_cache" => self.no_cache = boolean(value, &what)?,
            "no_cache_filter" => self.no_cache_filter = texts(value, &what)?,
            "pull" => self.pull = boolean(value, &what)?,
            "labels" => self.labels = labels(value)?,
            "secrets" => self.secrets = secrets(value, around)?,
            "ssh" => self.ssh = ssh_agents(value, around.variables)?,
            "platforms" => self.platforms = texts(value, &what)?,
            "tags" => self.tags = texts(value, &what)?,
            "network" => self.network = Some(text(value, &what)?),
            "entitlements" => self.entitlements = texts(value, &what)?,
            "extra_hosts" => self.extra_hosts = extra_hosts(value)?,
            "shm_size" => self.shm_size = Some(bytes(value, &what)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}
