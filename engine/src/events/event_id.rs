//! The id of an event: which run of the job its client follows, and what of it the client has got.

use std::{fmt, str::FromStr};

use super::{BadChunkSet, ChunkSet};

/// What a client has got, as it sends it back when its stream broke off: `RUN:0-7,12`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventId {
    run_id: String,
    pub chunks: ChunkSet,
}

const RUN_END: char = ':';

impl EventId {
    /// For the given run: of what came of an earlier one nothing counts.
    #[must_use]
    pub fn in_run(self, run_id: &str) -> Self {
        if self.run_id == run_id { self } else { Self { run_id: run_id.to_owned(), chunks: ChunkSet::default() } }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{RUN_END}{}", self.run_id, self.chunks)
    }
}

impl FromStr for EventId {
    type Err = BadChunkSet;

    fn from_str(text: &str) -> Result<Self, BadChunkSet> {
        let (run_id, chunks) = text.rsplit_once(RUN_END).unwrap_or(("", text));
        Ok(Self { run_id: run_id.to_owned(), chunks: chunks.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::EventId;

    #[test]
    fn what_came_of_another_run_does_not_count() {
        for (sent, run, goes_on_after) in [
            ("", "b", "b:"),
            ("b:", "b", "b:"),
            ("b:0-7,12", "b", "b:0-7,12"),
            ("a:0-7,12", "b", "b:"),
            // Of a run that is not told.
            ("0-7,12", "b", "b:"),
        ] {
            assert_eq!(sent.parse::<EventId>().unwrap().in_run(run).to_string(), goes_on_after, "{sent:?}");
        }
        for bad in ["a", "b:7-3", "0-7:b"] {
            assert!(bad.parse::<EventId>().is_err(), "{bad}");
        }
    }
}
