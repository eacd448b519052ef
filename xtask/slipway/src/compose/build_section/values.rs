//! What stands below the keys of a build section that have forms of their own.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Result;

use super::{Context, NamedContext, Surroundings};
use crate::{
    build_inputs::{CacheStore, SecretSource},
    compose::{
        fields::{mapping, text, texts},
        paths::is_remote,
        variables::Variables,
        yaml::{Node, Value},
    },
};

pub(super) fn context(written: &str) -> Context {
    if is_remote(written) { Context::Remote(written.to_owned()) } else { Context::Folder(PathBuf::from(written)) }
}

/// An argument without a value takes the variable of its name, or is left to the Dockerfile.
pub(super) fn arguments(node: &Node, variables: &Variables) -> Result<BTreeMap<String, String>> {
    let written = mapping(node, "build.args")?;
    Ok(written
        .into_iter()
        .filter_map(|(name, value)| {
            let value = value.or_else(|| variables.get(&name).map(str::to_owned))?;
            Some((name, value))
        })
        .collect())
}

pub(super) fn labels(node: &Node) -> Result<BTreeMap<String, String>> {
    let written = mapping(node, "build.labels")?;
    Ok(written.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect())
}

pub(super) fn named_contexts(node: &Node) -> Result<BTreeMap<String, NamedContext>> {
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

pub(super) fn cache_stores(node: &Node, what: &str) -> Result<Vec<CacheStore>> {
    texts(node, what)?
        .iter()
        .map(|written| CacheStore::parse(written).map_err(|message| node.error(format!("`{what}`: {message}"))))
        .collect()
}

pub(super) fn secrets(node: &Node, around: &Surroundings<'_>) -> Result<BTreeMap<String, SecretSource>> {
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

pub(super) fn ssh_agents(node: &Node, variables: &Variables) -> Result<BTreeMap<String, PathBuf>> {
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
pub(super) fn extra_hosts(node: &Node) -> Result<Vec<(String, String)>> {
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
