//! A connection to the engine: its REST API through bollard, and BuildKit's gRPC through a
//! connection that the engine hands over when asked to upgrade one.

use std::io;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use bollard::Docker;
use bollard::models::SystemInfo;
use bollard_buildkit_proto::moby::buildkit::v1::ListWorkersRequest;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tonic::transport::{Channel, Endpoint};

use super::address::Address;

/// The largest message that the engine may send; BuildKit's own limit is the same.
pub(super) const LARGEST_MESSAGE: usize = 16 << 20;
const REST_TIMEOUT_SECONDS: u64 = 120;
/// The longest answer to an upgrade that is still an HTTP head.
const LONGEST_HEAD: usize = 16 << 10;

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
    docker: Docker,
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
        match &address {
            Address::Unix(path) => UnixStream::connect(path).await.map(drop),
            Address::Tcp(address) => TcpStream::connect(address).await.map(drop),
        }
        .map_err(|error| unreachable(&error))?;
        let docker = rest_client(&address).map_err(|error| unreachable(&error))?;
        let told = docker.info().await.map_err(|error| unreachable(&error))?;
        Ok(Engine {
            docker,
            address,
            has_containerd_store: keeps_images_in_containerd(&told),
            id: told.id.unwrap_or_default(),
            version: told.server_version.unwrap_or_default(),
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

    /// The address of this machine as a build sees it, where the engine tells one.
    pub(crate) async fn host_gateway(&self) -> Result<Option<String>> {
        let workers = self.control().await?.list_workers(ListWorkersRequest::default()).await?;
        Ok(workers
            .into_inner()
            .record
            .into_iter()
            .find_map(|mut worker| worker.labels.remove("org.mobyproject.buildkit.worker.moby.host-gateway-ip"))
            .filter(|address| !address.is_empty()))
    }

    pub(super) async fn control(&self) -> Result<ControlClient<Channel>> {
        let channel = match &self.address {
            Address::Unix(path) => grpc_channel(upgraded(UnixStream::connect(path).await?, "/grpc", &[]).await?).await,
            Address::Tcp(address) => {
                grpc_channel(upgraded(TcpStream::connect(address).await?, "/grpc", &[]).await?).await
            }
        };
        Ok(ControlClient::new(channel?)
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE))
    }
}

fn keeps_images_in_containerd(told: &SystemInfo) -> bool {
    let words = told.driver_status.iter().flatten().flatten();
    words.into_iter().any(|word| word.starts_with("io.containerd.snapshotter"))
}

fn rest_client(address: &Address) -> Result<Docker, bollard::errors::Error> {
    match address {
        Address::Unix(path) => {
            Docker::connect_with_unix(&path.to_string_lossy(), REST_TIMEOUT_SECONDS, bollard::API_DEFAULT_VERSION)
        }
        Address::Tcp(address) => Docker::connect_with_http(address, REST_TIMEOUT_SECONDS, bollard::API_DEFAULT_VERSION),
    }
}

async fn grpc_channel<S>(stream: S) -> Result<Channel>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // One connection is all there is: a second attempt means that the first has been lost.
    let mut only = Some(TokioIo::new(stream));
    Endpoint::from_static("http://engine")
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .connect_with_connector(tower::service_fn(move |_| {
            let stream = only.take();
            async { stream.ok_or_else(|| io::Error::other("the engine closed the connection")) }
        }))
        .await
        .context("the engine does not speak gRPC on the upgraded connection")
}

/// Asks the engine to turn a plain HTTP connection into the raw stream that lies behind `path`.
pub(super) async fn upgraded<S>(mut stream: S, path: &str, headers: &[(&str, String)]) -> Result<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request =
        format!("POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;

    let head = read_head(&mut stream).await?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        bail!("the engine refused POST {path}: {status}; Docker Engine 23 or newer is needed");
    }
    Ok(stream)
}

/// Byte by byte, because what follows the head belongs to the upgraded protocol.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD {
            bail!("the engine's answer is not HTTP");
        }
        head.push(stream.read_u8().await.context("the engine closed the connection")?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
