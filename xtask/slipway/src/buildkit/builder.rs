//! A daemon that solves: BuildKit's gRPC, which an engine hands over when asked to upgrade a connection, and
//! which a BuildKit of its own speaks from the first byte on.

use std::io;

use anyhow::{Context, Result, bail};
use bollard_buildkit_proto::moby::buildkit::v1::{BytesMessage, ListWorkersRequest, control_client::ControlClient};
use futures_util::StreamExt;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::ReaderStream;
use tonic::{
    Streaming,
    metadata::{AsciiMetadataKey, AsciiMetadataValue},
    transport::{Channel, Endpoint},
};

use super::{address::Address, stream::RawStream};

/// The largest message that a daemon may send; BuildKit's own limit is the same.
pub(super) const LARGEST_MESSAGE: usize = 16 << 20;
/// The longest answer to an upgrade that is still an HTTP head.
const LONGEST_HEAD: usize = 16 << 10;
/// Bytes of a session that wait for the other side.
const SESSION_BUFFER: usize = 256 << 10;

/// A daemon that has answered once.
#[derive(Clone)]
pub(crate) struct Builder {
    pub(super) address: Address,
    pub(super) channel: Channel,
    pub(super) control: ControlClient<Channel>,
    is_engine: bool,
}

impl Builder {
    /// Connects to the daemon of an address as the user writes it. With a folder of certificates, `tcp://` is
    /// encrypted.
    pub(crate) async fn at(address: &str, certificates: Option<&std::path::Path>) -> Result<Builder> {
        Builder::connect(&Address::parse(address, certificates)?).await
    }

    pub(super) async fn connect(address: &Address) -> Result<Builder> {
        let failed = || format!("no builder answers at {address}");
        let mut stream = RawStream::open(address).await.with_context(failed)?;
        let is_engine = upgrade(&mut stream, "/grpc", &[]).await.is_ok();
        if !is_engine {
            stream = RawStream::open(address).await.with_context(failed)?;
        }
        let channel = grpc_channel(stream).await.with_context(failed)?;
        let control = ControlClient::new(channel.clone())
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        let builder = Builder { address: address.clone(), channel, control, is_engine };
        if !is_engine {
            builder.control.clone().list_workers(ListWorkersRequest::default()).await.with_context(failed)?;
        }
        Ok(builder)
    }

    /// Whether it is part of an engine, which has a store of images.
    pub(crate) fn is_engine(&self) -> bool {
        self.is_engine
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The address of this machine as a build sees it, where the daemon tells one.
    pub(crate) async fn host_gateway(&self) -> Result<Option<String>> {
        let workers = self.control.clone().list_workers(ListWorkersRequest::default()).await?;
        Ok(workers
            .into_inner()
            .record
            .into_iter()
            .find_map(|mut worker| worker.labels.remove("org.mobyproject.buildkit.worker.moby.host-gateway-ip"))
            .filter(|address| !address.is_empty()))
    }

    /// A stream over which the daemon calls this program.
    pub(super) async fn session_stream(&self, headers: &[(&str, String)]) -> Result<RawStream> {
        if self.is_engine {
            let mut stream = RawStream::open(&self.address).await?;
            upgrade(&mut stream, "/session", headers).await?;
            return Ok(stream);
        }
        let (ours, theirs) = tokio::io::duplex(SESSION_BUFFER);
        let (from_us, mut to_us) = tokio::io::split(theirs);
        let mut request = tonic::Request::new(messages(from_us));
        for (name, value) in headers {
            let name = AsciiMetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes())?;
            request.metadata_mut().append(name, AsciiMetadataValue::try_from(value.as_str())?);
        }
        let mut incoming: Streaming<BytesMessage> = self.control.clone().session(request).await?.into_inner();
        // When either side ends, the other's half of the pipe closes, and with it what is served over it.
        tokio::spawn(async move {
            while let Ok(Some(message)) = incoming.message().await {
                if to_us.write_all(&message.data).await.is_err() {
                    break;
                }
            }
        });
        Ok(RawStream::new(ours))
    }
}

fn messages(from: ReadHalf<tokio::io::DuplexStream>) -> ReceiverStream<BytesMessage> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut chunks = ReaderStream::new(from);
        while let Some(Ok(chunk)) = chunks.next().await {
            if sender.send(BytesMessage { data: chunk.to_vec() }).await.is_err() {
                break;
            }
        }
    });
    ReceiverStream::new(receiver)
}

async fn grpc_channel(stream: RawStream) -> Result<Channel> {
    // One connection is all there is: a second attempt means that the first has been lost.
    let mut only = Some(TokioIo::new(stream));
    Endpoint::from_static("http://engine")
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .connect_with_connector(tower::service_fn(move |_| {
            let stream = only.take();
            async { stream.ok_or_else(|| io::Error::other("the daemon closed the connection")) }
        }))
        .await
        .context("the daemon does not speak gRPC")
}

/// Asks an engine to turn a plain HTTP connection into the raw stream that lies behind `path`.
async fn upgrade(stream: &mut RawStream, path: &str, headers: &[(&str, String)]) -> Result<()> {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;

    let head = read_head(stream).await?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        bail!("the engine refused POST {path}: {status}; Docker Engine 23 or newer is needed");
    }
    Ok(())
}

/// Byte by byte, because what follows the head belongs to the upgraded protocol.
async fn read_head(stream: &mut RawStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // A BuildKit of its own answers with a frame of its protocol, which begins with zeros.
        if head.len() > LONGEST_HEAD || head.first().is_some_and(|byte| *byte != b'H') {
            bail!("the engine's answer is not HTTP");
        }
        head.push(stream.read_u8().await.context("the engine closed the connection")?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
