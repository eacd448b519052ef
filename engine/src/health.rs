//! Whether a worker works, told over a Unix socket to whoever asks on the same machine. A
//! container's health check asks with the worker's own program, so its image needs no other.

use std::{fmt, io, path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::watch,
};

use crate::config::HealthSettings;

/// A worker that says nothing for so long does not work.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How far a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Temporal has not answered yet.
    Connecting,
    /// It takes tasks.
    Ready,
    /// It ends what it has begun, and takes nothing more.
    Stopping,
}

impl fmt::Display for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    #[error("no worker can be asked: set LONGHAND_HEALTH_SOCKET as it is set for the worker")]
    NoSocket,
    #[error("the worker cannot be asked at {socket}: {reason}")]
    Silent { socket: String, reason: String },
    #[error("the worker is {0}")]
    NotReady(String),
    #[error("the health socket {socket} cannot be opened: {reason}; LONGHAND_HEALTH_SOCKET names it")]
    NotOpened { socket: String, reason: String },
}

/// Answers from now on, if a socket is set, with whatever the sender was last told.
///
/// # Errors
/// The socket cannot be opened.
pub(crate) fn answer(settings: &HealthSettings) -> Result<watch::Sender<Health>, HealthError> {
    let (sender, receiver) = watch::channel(Health::Connecting);
    if let Some(socket) = &settings.socket {
        let listener = open(socket)
            .map_err(|error| HealthError::NotOpened { socket: shown(socket), reason: error.to_string() })?;
        tokio::spawn(answer_all(listener, receiver));
    }
    Ok(sender)
}

/// Asks the worker whose socket is set.
///
/// # Errors
/// It is not ready, or does not answer.
pub async fn ask(settings: &HealthSettings) -> Result<(), HealthError> {
    let socket = settings.socket.as_deref().ok_or(HealthError::NoSocket)?;
    let silent = |reason: String| HealthError::Silent { socket: shown(socket), reason };
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, read_answer(socket)).await;
    let answer =
        answer.map_err(|_| silent("no answer in time".to_owned()))?.map_err(|error| silent(error.to_string()))?;
    if answer == Health::Ready.to_string() { Ok(()) } else { Err(HealthError::NotReady(answer)) }
}

/// A worker that was killed leaves its socket behind.
fn open(socket: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(socket)
}

async fn answer_all(listener: UnixListener, state: watch::Receiver<Health>) {
    loop {
        match listener.accept().await {
            // Whoever asked and is gone already is missed by nobody.
            Ok((mut stream, _)) => {
                let answer = state.borrow().to_string();
                drop(stream.write_all(answer.as_bytes()).await);
            }
            Err(error) => {
                tracing::warn!(%error, "nobody can ask for this worker's health any more");
                return;
            }
        }
    }
}

async fn read_answer(socket: &Path) -> io::Result<String> {
    let mut answer = String::new();
    UnixStream::connect(socket).await?.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn shown(socket: &Path) -> String {
    socket.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_tells_how_far_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("health");
        // As one that was killed leaves it.
        std::fs::write(&socket, "").unwrap();
        let settings = HealthSettings { socket: Some(socket) };
        let state = answer(&settings).unwrap();
        for (health, expected) in [
            (Health::Connecting, Err("the worker is connecting".to_owned())),
            (Health::Ready, Ok(())),
            (Health::Stopping, Err("the worker is stopping".to_owned())),
        ] {
            state.send_replace(health);
            assert_eq!(ask(&settings).await.map_err(|error| error.to_string()), expected);
        }
        assert!(matches!(ask(&HealthSettings { socket: None }).await, Err(HealthError::NoSocket)));
    }
}
