//! The wish of whoever runs a program that it ends.

use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled when the process gets SIGTERM or Ctrl-C.
pub fn stop_token() -> CancellationToken {
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        stop_requested().await;
        tracing::info!("stopping");
        signalled.cancel();
    });
    stop
}

async fn stop_requested() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be received");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        _ = terminated => {}
        _ = ctrl_c() => {}
    }
}
