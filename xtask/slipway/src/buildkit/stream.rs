//! Byte streams to a daemon, whatever they run over: a socket of this machine, TCP, or TLS.

use std::{
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::TlsConnector;
use tonic::transport::server::Connected;

use super::address::Address;

trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Bytes for S {}

pub(super) struct RawStream(Box<dyn Bytes>);

impl RawStream {
    pub(super) async fn open(address: &Address) -> io::Result<RawStream> {
        Ok(match address {
            Address::Unix(path) => RawStream::new(UnixStream::connect(path).await?),
            Address::Tcp(host) => RawStream::new(TcpStream::connect(host).await?),
            Address::Tls { host, certificates } => {
                let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).trim_matches(['[', ']']);
                let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
                let connector = TlsConnector::from(Arc::new(client_config(certificates)?));
                RawStream::new(connector.connect(name, TcpStream::connect(host).await?).await?)
            }
        })
    }

    pub(super) fn new(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> RawStream {
        RawStream(Box::new(stream))
    }
}

/// From a folder as docker's own clients have it: `ca.pem`, and `cert.pem` with `key.pem` where the daemon
/// wants to know who asks.
fn client_config(folder: &Path) -> io::Result<ClientConfig> {
    let named = |name: &str| folder.join(name);
    let failed = |path: &Path, error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
    let certificates = |path: &Path| -> io::Result<Vec<CertificateDer<'static>>> {
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
        read.map_err(|error: rustls::pki_types::pem::Error| failed(path, &error))
    };
    let (ca, cert, key) = (named("ca.pem"), named("cert.pem"), named("key.pem"));
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&ca)? {
        roots.add(certificate).map_err(|error| failed(&ca, &error))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    if !cert.exists() {
        return Ok(config.with_no_client_auth());
    }
    let key_der = PrivateKeyDer::from_pem_file(&key).map_err(|error| failed(&key, &error))?;
    config.with_client_auth_cert(certificates(&cert)?, key_der).map_err(|error| failed(&cert, &error))
}

impl AsyncRead for RawStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for RawStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Connected for RawStream {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}
