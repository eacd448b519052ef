//! Why a source did not serve.

/// A sentence for the user, who is then told of the next source.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Refusal {
    reason: String,
    kind: RefusalKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefusalKind {
    /// The source has other bytes or none, or a person has to put something right.
    Lasting,
    /// The network or the server may well serve later.
    Passing,
    /// As [`RefusalKind::Passing`], and going on at once would be in vain.
    Stalled,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: RefusalKind::Lasting }
    }

    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: RefusalKind::Passing }
    }

    pub(super) fn stalled(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind: RefusalKind::Stalled }
    }

    /// Whether trying again later can help.
    pub(super) fn may_pass(&self) -> bool {
        self.kind != RefusalKind::Lasting
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.kind == RefusalKind::Stalled
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::new(format!("the cache folder fails: {error}"))
    }
}

/// Hashing and unpacking take long enough to starve an async executor.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panic| Err(Refusal::new(panic.to_string())))
}
