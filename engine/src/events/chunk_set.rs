//! Which chunks somebody has got, short enough for a header: `0-7,12`.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// Chunks by their index in the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChunkSet(BTreeSet<u32>);

/// It is no list of ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event's id is a list of chunks such as 0-7,12")]
pub struct BadChunkSet;

/// More chunks than a week of audio has are a slip or an attack.
const MOST: u32 = 1_000_000;

impl ChunkSet {
    pub fn contains(&self, chunk: u32) -> bool {
        self.0.contains(&chunk)
    }

    pub fn insert(&mut self, chunk: u32) {
        self.0.insert(chunk);
    }
}

impl fmt::Display for ChunkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chunks = self.0.iter().copied().peekable();
        let mut separator = "";
        while let Some(first) = chunks.next() {
            let mut last = first;
            while let Some(next) = chunks.next_if(|next| *next == last + 1) {
                last = next;
            }
            if first == last {
                write!(f, "{separator}{first}")?;
            } else {
                write!(f, "{separator}{first}-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

impl FromStr for ChunkSet {
    type Err = BadChunkSet;

    fn from_str(text: &str) -> Result<Self, BadChunkSet> {
        let mut chunks = BTreeSet::new();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| text.parse::<u32>().ok().filter(|chunk| *chunk < MOST).ok_or(BadChunkSet);
            chunks.extend(number(first)?..=number(last)?);
        }
        Ok(Self(chunks))
    }
}

#[cfg(test)]
mod tests {
    use super::ChunkSet;

    #[test]
    fn sets_are_written_as_ranges_and_read_back() {
        for (chunks, text) in
            [(vec![], ""), (vec![3], "3"), (vec![0, 1, 2, 3], "0-3"), (vec![7, 0, 1, 12, 8], "0-1,7-8,12")]
        {
            let mut set = ChunkSet::default();
            chunks.iter().for_each(|chunk| set.insert(*chunk));
            assert_eq!(set.to_string(), text);
            assert_eq!(text.parse(), Ok(set));
        }
        for bad in ["a", "1-", "-1", "1-2-3", "0-4000000000", "1 2"] {
            assert!(bad.parse::<ChunkSet>().is_err(), "{bad}");
        }
    }
}
