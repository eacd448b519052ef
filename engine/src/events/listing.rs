//! When a job's checkpoints are listed: stores in the cloud bill each listing, so only when there is news.

use std::time::{Duration, Instant};

/// Without news the checkpoints are listed once in this time, in case some was missed.
const WITHOUT_NEWS: Duration = Duration::from_secs(60);

/// What is known of the last listing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Listing(Option<Last>);

#[derive(Debug, Clone, Copy)]
struct Last {
    at: Instant,
    chunks_done: u32,
}

impl Listing {
    /// Whether it is time for another one. Temporal tells how many chunks are done, and Redis, where it is there, notifies
    /// of each.
    pub(super) fn is_due(self, chunks_done: u32, notified: bool, now: Instant) -> bool {
        let Self(Some(last)) = self else { return true };
        notified || last.chunks_done != chunks_done || now.duration_since(last.at) >= WITHOUT_NEWS
    }

    pub(super) fn was_made(&mut self, chunks_done: u32, now: Instant) {
        *self = Self(Some(Last { at: now, chunks_done }));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Listing;

    #[test]
    fn checkpoints_are_listed_when_there_is_news_and_once_a_minute_without() {
        let begin = Instant::now();
        let mut listing = Listing::default();
        for (second, chunks_done, notified, is_due) in [
            (0, 0, false, true),
            (1, 0, false, false),
            (2, 3, false, true),
            (3, 3, false, false),
            (4, 3, true, true),
            (62, 3, false, false),
            (64, 3, false, true),
            (65, 2, false, true),
        ] {
            let now = begin + Duration::from_secs(second);
            assert_eq!(listing.is_due(chunks_done, notified, now), is_due, "{second} s");
            if is_due {
                listing.was_made(chunks_done, now);
            }
        }
    }
}
