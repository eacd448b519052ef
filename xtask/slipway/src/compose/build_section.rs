//! What a service's `build:` says, typed. A key that is not supported is an error.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::{
    fields::{boolean, bytes, mapping, text, texts},
    paths::is_remote,
    variables::Variables,
    yaml::{Node, Value},
};
use crate::build_inputs::{CacheStore, SecretSource};

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

fn context(written: &str) -> Context {
    if is_remote(written) { Context::Remote(written.to_owned()) } else { Context::Folder(PathBuf::from(written)) }
}

/// An argument without a value takes the variable of its name, or is left to the Dockerfile.
fn arguments(node: &Node, variables: &Variables) -> Result<BTreeMap<String, String>> {
    let written = mapping(node, "build.args")?;
    Ok(written
        .into_iter()
        .filter_map(|(name, value)| {
            let value = value.or_else(|| variables.get(&name).map(str::to_owned))?;
            Some((name, value))
        })
        .collect())
}

fn labels(node: &Node) -> Result<BTreeMap<String, String>> {
    let written = mapping(node, "build.labels")?;
    Ok(written.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect())
}

fn named_contexts(node: &Node) -> Result<BTreeMap<String, NamedContext>> {
    mapping(node, "build.additional_contexts")?
        .into_iter()
        .map(|(name, value)| {
            let value = value.ok_or_else(|| node.error(format!("the additional context `{name}` names no place")))?;
            let place = match value.split_once(':') {
                Some(("service", service)) => NamedContext::Service(service.to_owned()),
                Some(("target", _)) => {
                    return Err(node.error(format!(
                        "the additional context `{name}`: `target:` belongs to bake files; write `service:`"
                    )));
                }
                _ if is_remote(&value) => NamedContext::Remote(value),
                _ => NamedContext::Folder(PathBuf::from(value)),
            };
            Ok((name, place))
        })
        .collect()
}

fn cache_stores(node: &Node, what: &str) -> Result<Vec<CacheStore>> {
    texts(node, what)?
        .iter()
        .map(|written| CacheStore::parse(written).map_err(|message| node.error(format!("`{what}`: {message}"))))
        .collect()
}

fn secrets(node: &Node, around: &Surroundings<'_>) -> Result<BTreeMap<String, SecretSource>> {
    let Value::List(items) = &node.value else {
        return Err(node.error("`build.secrets` must be a list"));
    };
    items.iter().map(|item| secret(item, around)).collect()
}

fn secret(item: &Node, around: &Surroundings<'_>) -> Result<(String, SecretSource)> {
    let (source, id) = match &item.value {
        Value::Scalar(name) => (name.clone(), name.clone()),
        _ => {
            let allowed = |key: &str| matches!(key, "source" | "target");
            if let Some((key, _)) = item.entries("a secret")?.iter().find(|(key, _)| !allowed(&key.text)) {
                return Err(item.error(format!("`{}` of a build secret is not supported", key.text)));
            }
            let source = item.get("source").ok_or_else(|| item.error("a secret needs a `source`"))?;
            let source = text(source, "source")?;
            let target = item.get("target").map(|target| text(target, "target")).transpose()?;
            (source.clone(), target.unwrap_or(source))
        }
    };
    let definition = around
        .secrets
        .and_then(|secrets| secrets.get(&source))
        .ok_or_else(|| item.error(format!("the project's `secrets:` has no `{source}`")))?;
    Ok((id, secret_source(definition, &source)?))
}

fn secret_source(definition: &Node, name: &str) -> Result<SecretSource> {
    match (definition.get("file"), definition.get("environment")) {
        (Some(file), None) => Ok(SecretSource::File(PathBuf::from(text(file, "file")?))),
        (None, Some(variable)) => Ok(SecretSource::Environment(text(variable, "environment")?)),
        _ => Err(definition.error(format!("the secret `{name}` needs either `file` or `environment`"))),
    }
}

fn ssh_agents(node: &Node, variables: &Variables) -> Result<BTreeMap<String, PathBuf>> {
    mapping(node, "build.ssh")?
        .into_iter()
        .map(|(id, socket)| {
            let socket = socket.or_else(|| variables.get("SSH_AUTH_SOCK").map(str::to_owned)).ok_or_else(|| {
                node.error(format!("the ssh agent `{id}` needs SSH_AUTH_SOCK; start one with `eval $(ssh-agent)`"))
            })?;
            let socket = PathBuf::from(socket);
            if socket.is_file() {
                return Err(node.error(format!(
                    "the ssh agent `{id}` names a key file, which is not supported; add the key to an agent and name its socket"
                )));
            }
            Ok((id, socket))
        })
        .collect()
}

/// `host:address`, `host=address`, or a mapping to one or several addresses.
fn extra_hosts(node: &Node) -> Result<Vec<(String, String)>> {
    if let Value::Map(entries) = &node.value {
        let mut hosts = Vec::new();
        for (host, addresses) in entries {
            for address in texts(addresses, "build.extra_hosts")? {
                hosts.push((host.text.clone(), address));
            }
        }
        return Ok(hosts);
    }
    texts(node, "build.extra_hosts")?
        .iter()
        .map(|written| {
            let (host, address) = written
                .split_once('=')
                .or_else(|| written.split_once(':'))
                .ok_or_else(|| node.error(format!("`{written}` of `build.extra_hosts` is not HOST:ADDRESS")))?;
            Ok((host.to_owned(), address.trim_matches(['[', ']']).to_owned()))
        })
        .collect()
}
