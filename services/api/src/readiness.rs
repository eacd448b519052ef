//! Asking the service that runs on this machine whether it is ready: a container's health check asks with the
//! service's own program, so its image needs no other.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A service that does not answer in this time is not ready.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Why the service on this machine counts as not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error("nothing answers at {address}: {reason}")]
    NoAnswer { address: SocketAddr, reason: String },
    #[error("the service at {address} is not ready: {answer}")]
    Answered { address: SocketAddr, answer: String },
}

/// # Errors
/// The service is not ready, or does not answer in time.
pub fn check_ready(address: SocketAddr) -> BoxFuture<'static, Result<(), NotReady>> {
    let address = reachable(address);
    let no_answer = move |reason: String| NotReady::NoAnswer { address, reason };
    Box::pin(async move {
        let answer = tokio::time::timeout(TIMEOUT, get_ready(address)).await;
        let answer = answer.map_err(|_| no_answer("no answer in time".to_owned()))?;
        let answer = answer.map_err(|error| no_answer(error.to_string()))?;
        let status = answer.lines().next().unwrap_or_default();
        if status.contains(" 200 ") {
            return Ok(());
        }
        let body = answer.split_once("\r\n\r\n").map_or(status, |(_, body)| body);
        Err(NotReady::Answered { address, answer: body.to_owned() })
    })
}

/// Where a service that listens on all addresses is found from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn get_ready(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
