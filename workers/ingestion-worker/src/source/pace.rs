//! How slow a download may be. A server that sends a byte now and then would hold a slot for as long as it likes.

use std::time::Duration;

use bytes::Bytes;
use engine::error::StageError;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout_at};

#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Until the server has begun to answer, redirects included.
    pub(super) answer: Duration,
    /// In each stretch of time that is so long, at least so many bytes come.
    pub(super) stretch: Duration,
    pub(super) least_bytes: u64,
    /// All of it takes no longer.
    pub(super) longest: Duration,
}

impl Pace {
    /// 4 kB a second: as much as speech takes in the formats for telephones that sound well.
    pub(super) fn of_recordings(longest_minutes: u32) -> Self {
        Self {
            answer: Duration::from_secs(60),
            stretch: Duration::from_secs(60),
            least_bytes: 240_000,
            longest: Duration::from_secs(60) * longest_minutes,
        }
    }

    /// Waits for the beginning of the answer.
    pub(super) async fn answered<T>(
        self,
        name: &str,
        answer: impl Future<Output = Result<T, StageError>>,
    ) -> Result<T, StageError> {
        let answered = tokio::time::timeout(self.answer, answer).await;
        answered.unwrap_or_else(|_| {
            let seconds = self.answer.as_secs_f64();
            Err(StageError::transient(format!("{name} gives no answer within {seconds} s; try again later")))
        })
    }

    /// The pieces as they come, and an error where they come too slowly.
    pub(super) fn keep(
        self,
        name: &str,
        pieces: impl Stream<Item = Result<Bytes, StageError>> + Unpin,
    ) -> impl Stream<Item = Result<Bytes, StageError>> {
        let stretch = Stretch { end: Instant::now() + self.stretch, bytes: 0 };
        let end = Instant::now() + self.longest;
        let name = name.to_owned();
        stream::try_unfold((pieces, stretch), move |(mut pieces, mut stretch)| {
            let name = name.clone();
            async move {
                loop {
                    if Instant::now() >= end {
                        return Err(self.takes_too_long(&name));
                    }
                    if Instant::now() >= stretch.end {
                        self.check(&name, &stretch)?;
                        stretch = Stretch { end: Instant::now() + self.stretch, bytes: 0 };
                    }
                    // Where none comes until then, it is looked again what that means.
                    let Ok(piece) = timeout_at(end.min(stretch.end), pieces.next()).await else { continue };
                    let Some(piece) = piece.transpose()? else { return Ok(None) };
                    stretch.bytes += piece.len() as u64;
                    return Ok(Some((piece, (pieces, stretch))));
                }
            }
        })
    }

    fn check(self, name: &str, stretch: &Stretch) -> Result<(), StageError> {
        if stretch.bytes >= self.least_bytes {
            return Ok(());
        }
        let (bytes, seconds) = (stretch.bytes, self.stretch.as_secs_f64());
        Err(StageError::transient(format!(
            "{name} has sent {bytes} bytes in {seconds} s, too few to wait for the rest; try again later, or upload the recording"
        )))
    }

    fn takes_too_long(self, name: &str) -> StageError {
        let minutes = self.longest.as_secs() / 60;
        StageError::bad_input(format!(
            "fetching {name} takes longer than {minutes} minutes; upload the recording, or raise LONGHAND_FETCH_MINUTES on the ingestion worker"
        ))
    }
}

struct Stretch {
    end: Instant,
    bytes: u64,
}
