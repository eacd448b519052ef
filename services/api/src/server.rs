//! A service from its settings to its end.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use engine::config::ApiSettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::{
    access::Access,
    browsers::Pages,
    connections,
    dependencies::Dependencies,
    health::HealthCheck,
    keys::{ApiKeys, KeysError},
    metrics::RequestMetrics,
    rate_limit::{Allowance, RateLimit},
    router::{Api, Surroundings},
};

/// A service that does not say in this time that it is ready is not.
const PATIENCE: Duration = Duration::from_secs(3);

const MINUTE: Duration = Duration::from_secs(60);

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "{name} would listen on {address}, where others can reach it, and let everybody in: name a file of API keys \
         with LONGHAND_API_KEYS, or set LONGHAND_API_OPEN=true if that is what you want"
    )]
    Unprotected { name: &'static str, address: SocketAddr },
    #[error("{address} is taken: stop what listens there, or give {name} another address with {variable}")]
    Taken { name: &'static str, address: SocketAddr, variable: String },
    #[error("{name} cannot listen on {address}: {source}; {variable} sets the address")]
    Listen { name: &'static str, address: SocketAddr, variable: String, source: io::Error },
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Serves until `stop` falls. Logs "service ready" with the address as soon as it listens.
///
/// # Errors
/// Settings that are wrong or dangerous, and an address that cannot be had.
pub async fn serve(
    api: Api,
    address: SocketAddr,
    settings: &ApiSettings,
    dependencies: Dependencies,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let name = api.name;
    let keys = settings.keys.as_deref().map(ApiKeys::read).transpose()?;
    let everybody = keys.is_none() && !settings.open;
    if everybody && !address.ip().is_loopback() {
        return Err(ServeError::Unprotected { name, address });
    }
    let limit = settings
        .requests_per_minute
        .map(|most| RateLimit::new(Allowance { name: "rate", most, window: MINUTE }, dependencies.redis.clone()));
    let router = api.into_router(Surroundings {
        settings,
        access: Access { keys, limit },
        pages: Pages::new(settings.cors_origins.as_deref().unwrap_or_default(), everybody),
        health: HealthCheck::new(dependencies),
        metrics: RequestMetrics::register()?,
    });
    let listener = TcpListener::bind(address).await.map_err(|source| not_listening(name, address, source))?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "service ready");
    connections::serve(listener, router, stop).await;
    tracing::info!("stopped");
    Ok(())
}

fn not_listening(name: &'static str, address: SocketAddr, source: io::Error) -> ServeError {
    let variable = format!("LONGHAND_{}_ADDRESS", name.to_uppercase().replace('-', "_"));
    match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::Taken { name, address, variable },
        _ => ServeError::Listen { name, address, variable, source },
    }
}

/// A token that falls when the process is told to stop: by SIGTERM or Ctrl-C. To be handed to [`serve`], and to
/// answers that would otherwise never end.
pub fn stop_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        engine::signal::stop_requested().await;
        tracing::info!("stopping");
        told.cancel();
    });
    stop
}

/// Why a service that runs on this machine is taken for not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error("nothing answers at {address}: {reason}")]
    Silent { address: SocketAddr, reason: String },
    #[error("the service at {address} is not ready: {answer}")]
    Answered { address: SocketAddr, answer: String },
}

/// Asks the service that runs on this machine whether it is ready: a container's health check asks with the
/// service's own program, so its image needs no other.
///
/// # Errors
/// It is not, or does not answer in time.
pub async fn ask_ready(address: SocketAddr) -> Result<(), NotReady> {
    let address = here(address);
    let silent = |reason: String| NotReady::Silent { address, reason };
    let answer = tokio::time::timeout(PATIENCE, hear(address)).await;
    let answer = answer.map_err(|_| silent("no answer in time".to_owned()))?;
    let answer = answer.map_err(|error| silent(error.to_string()))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or(status, |(_, body)| body);
    Err(NotReady::Answered { address, answer: body.to_owned() })
}

/// Where a service that listens everywhere can be found from here.
fn here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn hear(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
