//! Accepting connections and serving them, with bounds to what a client may keep the service waiting.

use std::{net::SocketAddr, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulConnection, GracefulShutdown},
    },
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::hosts::ReachedAt;

/// A request's headers have to be here in this time, on a connection kept alive, too.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes that the headers of a request may have, and that are read at a time from a body.
const BUFFER: usize = 64 * 1024;

/// After a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until it is told to stop. What has begun then may go on for `grace`, and is cut off after it; what comes then is
/// left to the router to refuse.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: &CancellationToken, grace: Duration) {
    let server = Server::new(router);
    let graceful = GracefulShutdown::new();
    let mut begun = JoinSet::new();
    loop {
        tokio::select! {
            (stream, peer) = accept(&listener) => {
                begun.spawn(until_closed(graceful.watch(server.connection(stream, peer))));
            }
            Some(_) = begun.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(grace) => tracing::warn!("requests that had not ended are cut off"),
        () = server.serve_late(&listener) => {}
    }
    begun.shutdown().await;
}

struct Server {
    http: auto::Builder<TokioExecutor>,
    router: Router,
}

impl Server {
    fn new(router: Router) -> Self {
        // HTTP/1 alone: while the version is still open, no time-out would run.
        let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
        http.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(BUFFER);
        Self { http, router }
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl GracefulConnection<Error = Box<dyn std::error::Error + Send + Sync>> + Send + use<> {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "small answers may be delayed");
        }
        let reached_at = stream.local_addr().map_or(peer.ip(), |address| address.ip()).to_canonical();
        let router = Extension(ReachedAt(reached_at)).layer(self.router.clone());
        let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router));
        self.http.serve_connection(TokioIo::new(stream), service).into_owned()
    }

    /// Never ends by itself. Nobody waits for these connections.
    async fn serve_late(&self, listener: &TcpListener) {
        loop {
            let (stream, peer) = accept(listener).await;
            tokio::spawn(until_closed(self.connection(stream, peer)));
        }
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn until_closed<E: std::fmt::Display>(connection: impl Future<Output = Result<(), E>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection broke off");
    }
}
