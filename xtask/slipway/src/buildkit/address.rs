//! Where the engine listens: `DOCKER_HOST`, else the docker CLI's current context, else the
//! usual socket.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::hash::hexadecimal;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Address {
    Unix(PathBuf),
    /// `host:port`, without TLS.
    Tcp(String),
    Tls {
        /// `host:port`.
        host: String,
        /// Folder of `ca.pem`, `cert.pem` and `key.pem`.
        certificates: PathBuf,
    },
}

impl Address {
    pub(super) fn discover() -> Result<Address> {
        if let Ok(host) = std::env::var("DOCKER_HOST")
            && !host.is_empty()
        {
            return Address::parse(&host, certificates_of_environment().as_deref())
                .context("DOCKER_HOST does not name an engine");
        }
        if let Some(folder) = docker_config_folder()
            && let Some(host) = host_of_current_context(&folder)?
        {
            return Address::parse(&host, None).context("the current docker context does not name an engine");
        }
        Ok(Address::Unix(PathBuf::from("/var/run/docker.sock")))
    }

    /// With a folder of certificates, `tcp://` is encrypted.
    pub(super) fn parse(host: &str, certificates: Option<&Path>) -> Result<Address> {
        match (host.split_once("://"), certificates) {
            (Some(("unix", path)), _) => Ok(Address::Unix(PathBuf::from(path))),
            (Some(("tcp", address)), None) => Ok(Address::Tcp(address.trim_end_matches('/').to_owned())),
            (Some(("tcp", address)), Some(folder)) => {
                let host = address.trim_end_matches('/').to_owned();
                Ok(Address::Tls { host, certificates: folder.to_owned() })
            }
            _ => bail!("`{host}`: expected unix:///PATH or tcp://HOST:PORT"),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Unix(path) => write!(formatter, "unix://{}", path.display()),
            Address::Tcp(host) | Address::Tls { host, .. } => write!(formatter, "tcp://{host}"),
        }
    }
}

/// As docker's own clients understand it.
pub(crate) fn certificates_of_environment() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("DOCKER_TLS_VERIFY")?;
    set("DOCKER_CERT_PATH").map(PathBuf::from).or_else(docker_config_folder)
}

fn docker_config_folder() -> Option<PathBuf> {
    std::env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".docker")))
}

#[derive(Deserialize)]
struct ClientConfig {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct ContextMeta {
    #[serde(rename = "Endpoints")]
    endpoints: std::collections::BTreeMap<String, Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
}

fn host_of_current_context(folder: &Path) -> Result<Option<String>> {
    let Ok(text) = std::fs::read(folder.join("config.json")) else {
        return Ok(None);
    };
    let config: ClientConfig =
        serde_json::from_slice(&text).with_context(|| format!("{}/config.json is not valid", folder.display()))?;
    let Some(name) = config.current_context.filter(|name| name != "default") else {
        return Ok(None);
    };
    let folder_name = hexadecimal(&Sha256::digest(&name));
    let path = folder.join("contexts/meta").join(folder_name).join("meta.json");
    let text = std::fs::read(&path).with_context(|| {
        format!("the docker context `{name}` has no {}; run `docker context use default`", path.display())
    })?;
    let mut meta: ContextMeta =
        serde_json::from_slice(&text).with_context(|| format!("{} is not valid", path.display()))?;
    Ok(meta.endpoints.remove("docker").and_then(|endpoint| endpoint.host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_parsed_or_refused() {
        let unix = Address::Unix(PathBuf::from("/run/engine.sock"));
        assert_eq!(Address::parse("unix:///run/engine.sock", None).unwrap(), unix);
        let host = "10.0.0.7:2376".to_owned();
        assert_eq!(Address::parse("tcp://10.0.0.7:2376", None).unwrap(), Address::Tcp(host.clone()));
        let certificates = PathBuf::from("/certs");
        let encrypted = Address::parse("tcp://10.0.0.7:2376/", Some(&certificates)).unwrap();
        assert_eq!(encrypted, Address::Tls { host, certificates });
        assert!(Address::parse("ssh://somewhere", None).is_err());
    }

    #[test]
    fn the_current_context_names_the_host() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(host_of_current_context(folder.path()).unwrap(), None);

        std::fs::write(folder.path().join("config.json"), r#"{"currentContext":"lab"}"#).unwrap();
        assert!(host_of_current_context(folder.path()).is_err());

        let name = hexadecimal(&Sha256::digest("lab"));
        let meta = folder.path().join("contexts/meta").join(name);
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(meta.join("meta.json"), r#"{"Endpoints":{"docker":{"Host":"unix:///lab"}}}"#).unwrap();
        assert_eq!(host_of_current_context(folder.path()).unwrap().as_deref(), Some("unix:///lab"));
    }
}
