//! How long a task waits for a model that is away, and when it asks again.
//!
//! Between two tries the task has no slot, so that others go on meanwhile. That it waits is kept in its heartbeats, which
//! the next try gets from the server, whichever worker makes it.

use std::time::{Duration, SystemTime};

use engine::error::StageError;
use serde::{Deserialize, Serialize};

/// The first pause; the later ones grow with the time that was waited.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Pauses that a long patience has at most, those at its beginning apart: each is an attempt, and attempts are bounded.
const PAUSES: u32 = 40;

/// Since when a task has failed at each try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    since: SystemTime,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    limit: Duration,
}

impl Patience {
    pub(crate) fn of_seconds(seconds: u64) -> Self {
        Self { limit: Duration::from_secs(seconds) }
    }

    /// What becomes of a try that failed: the error with when to try again, or as one that is final. Where the server
    /// says when to come back, that is heeded as far as patience goes.
    pub(crate) fn after(self, error: StageError, waiting: Waiting, now: SystemTime) -> StageError {
        if !error.is_retryable() {
            return error;
        }
        let waited = now.duration_since(waiting.since).unwrap_or_default();
        let left = self.limit.saturating_sub(waited);
        if left.is_zero() {
            return self.lost(error, waited);
        }
        let longest = LONGEST_PAUSE.max(self.limit / PAUSES);
        let own = waited.clamp(SHORTEST_PAUSE, longest);
        let wished = error.retry_after.unwrap_or_default();
        error.retry_after(own.max(wished).min(left))
    }

    fn lost(self, error: StageError, waited: Duration) -> StageError {
        let message = format!(
            "{}; it was tried for {} s, as LONGHAND_LLM_PATIENCE_SECONDS has it",
            error.message,
            waited.as_secs()
        );
        StageError::setup(message).caused_by(error)
    }
}

impl Waiting {
    pub(crate) fn since(since: SystemTime) -> Self {
        Self { since }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use engine::error::{FailureKind, StageError};

    use super::{Patience, Waiting};

    #[test]
    fn pauses_grow_and_come_to_an_end() {
        let seconds = Duration::from_secs;
        for (patience, waited, wished, pause) in [
            (600, 0, None, Some(1)),
            (600, 1, None, Some(1)),
            (600, 7, None, Some(7)),
            (600, 300, None, Some(30)),
            (600, 590, None, Some(10)),
            (600, 600, None, None),
            (600, 0, Some(120), Some(120)),
            (600, 0, Some(3600), Some(600)),
            (600, 300, Some(2), Some(30)),
            (86_400, 40_000, None, Some(2160)),
            (0, 0, None, None),
        ] {
            let error = StageError::transient("away");
            let error = if let Some(wished) = wished { error.retry_after(seconds(wished)) } else { error };
            let waiting = Waiting::since(UNIX_EPOCH);
            let after = Patience::of_seconds(patience).after(error, waiting, UNIX_EPOCH + seconds(waited));
            let kind = if pause.is_some() { FailureKind::Transient } else { FailureKind::Setup };
            assert_eq!((after.kind, after.retry_after), (kind, pause.map(seconds)), "{patience}, {waited}, {wished:?}");
        }
    }

    #[test]
    fn attempts_suffice_for_any_patience() {
        for patience in [60, 600, 3600, 86_400] {
            let (mut waited, mut tries) = (Duration::ZERO, 0);
            loop {
                let now = UNIX_EPOCH + waited;
                let waiting = Waiting::since(UNIX_EPOCH);
                let after = Patience::of_seconds(patience).after(StageError::transient("away"), waiting, now);
                tries += 1;
                let Some(pause) = after.retry_after else { break };
                waited += pause;
            }
            assert!(tries < 60, "{tries} tries in {patience} s");
            assert_eq!(waited.as_secs(), patience);
        }
    }
}
