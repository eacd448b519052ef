//! The wish of whoever runs a program that it ends.

use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

/// Comes back when the process gets SIGTERM or Ctrl-C.
pub async fn stop_requested() {
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
