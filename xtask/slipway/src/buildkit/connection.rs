//! A connection to the engine's REST API, through bollard.

use std::time::SystemTime;

use anyhow::{Context, Result};
use bollard::{Docker, models::SystemInfo};

use super::{address::Address, builder::Builder, stream::RawStream};

const REST_TIMEOUT_SECONDS: u64 = 120;

/// No engine answers at the address where one is expected.
#[derive(Debug)]
pub(crate) struct EngineUnreachable {
    address: String,
    reason: String,
}

impl std::fmt::Display for EngineUnreachable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "no container engine answers at {}: {}", self.address, self.reason)
    }
}

impl std::error::Error for EngineUnreachable {}

/// An engine that has answered once.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(super) address: Address,
    pub(super) docker: Docker,
    /// What no two engines have in common.
    pub(crate) id: String,
    /// The engine's version, as in `28.5.2`.
    pub(crate) version: String,
    /// Whether it keeps images in containerd's store, and so can export a cache anywhere; its older
    /// stores know the inline cache only.
    pub(crate) has_containerd_store: bool,
}

/// An image in the engine's store.
pub(crate) struct LoadedImage {
    /// Stands for its content.
    pub(crate) id: String,
    /// Bytes.
    pub(crate) size: u64,
    /// When the name was given to it last, where the engine knows.
    pub(crate) named: Option<SystemTime>,
}

impl Engine {
    /// Connects to the engine that the environment names.
    ///
    /// # Errors
    /// [`EngineUnreachable`] where nothing answers.
    pub(crate) async fn connect() -> Result<Engine> {
        let address = Address::discover()?;
        let unreachable = |error: &dyn std::fmt::Display| EngineUnreachable {
            address: address.to_string(),
            reason: error.to_string(),
        };
        // The REST client's own words for this say less than the system's.
        RawStream::open(&address).await.map_err(|error| unreachable(&error))?;
        let docker = rest_client(&address).map_err(|error| unreachable(&error))?;
        let info = docker.info().await.map_err(|error| unreachable(&error))?;
        Ok(Engine {
            docker,
            address,
            has_containerd_store: keeps_images_in_containerd(&info),
            id: info.id.unwrap_or_default(),
            version: info.server_version.unwrap_or_default(),
        })
    }

    /// The image of this name in the engine's store, where there is one.
    pub(crate) async fn image(&self, name: &str) -> Result<Option<LoadedImage>> {
        match self.docker.inspect_image(name).await {
            Ok(image) => Ok(Some(LoadedImage {
                size: u64::try_from(image.size.unwrap_or_default()).unwrap_or_default(),
                named: image.metadata.and_then(|metadata| metadata.last_tag_time).map(SystemTime::from),
                id: image.id.unwrap_or_default(),
            })),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("the engine could not inspect `{name}`")),
        }
    }

    /// The part of the engine that builds.
    pub(crate) async fn builder(&self) -> Result<Builder> {
        Builder::connect(&self.address).await
    }
}

fn keeps_images_in_containerd(info: &SystemInfo) -> bool {
    let values = info.driver_status.iter().flatten().flatten();
    values.into_iter().any(|word| word.starts_with("io.containerd.snapshotter"))
}

fn rest_client(address: &Address) -> Result<Docker, bollard::errors::Error> {
    match address {
        Address::Unix(path) => {
            Docker::connect_with_unix(&path.to_string_lossy(), REST_TIMEOUT_SECONDS, bollard::API_DEFAULT_VERSION)
        }
        Address::Tcp(address) => Docker::connect_with_http(address, REST_TIMEOUT_SECONDS, bollard::API_DEFAULT_VERSION),
        Address::Tls { host, certificates } => {
            let [key, cert, ca] = ["key.pem", "cert.pem", "ca.pem"].map(|name| certificates.join(name));
            let version = bollard::API_DEFAULT_VERSION;
            Docker::connect_with_ssl(&format!("tcp://{host}"), &key, &cert, &ca, REST_TIMEOUT_SECONDS, version)
        }
    }
}
