//! Which chunks somebody has got, short enough for a header: `0-7,12`.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// Chunks by their index in the plan, kept as ranges: as small as it is written, however many they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChunkSet {
    /// From the first chunk of a range to its last. Between two ranges a chunk is missing.
    ranges: BTreeMap<u32, u32>,
}

/// It is no list of ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event's id is a run and a list of chunks such as 0-7,12: send the one that came with the last event")]
pub struct BadChunkSet;

/// More chunks than a week of audio has are a slip or an attack.
const MOST: u32 = 1_000_000;

impl ChunkSet {
    pub fn contains(&self, chunk: u32) -> bool {
        self.ranges.range(..=chunk).next_back().is_some_and(|(_, last)| *last >= chunk)
    }

    pub fn insert(&mut self, chunk: u32) {
        self.insert_range(chunk, chunk);
    }

    fn insert_range(&mut self, mut first: u32, mut last: u32) {
        // Whatever overlaps or touches becomes one range.
        while let Some((begin, end)) = self.ranges.range(..=last.saturating_add(1)).next_back() {
            let (begin, end) = (*begin, *end);
            if end.saturating_add(1) < first {
                break;
            }
            self.ranges.remove(&begin);
            (first, last) = (first.min(begin), last.max(end));
        }
        self.ranges.insert(first, last);
    }
}

impl fmt::Display for ChunkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (first, last) in &self.ranges {
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
        let mut chunks = Self::default();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| text.parse::<u32>().ok().filter(|chunk| *chunk < MOST).ok_or(BadChunkSet);
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(BadChunkSet);
            }
            chunks.insert_range(first, last);
        }
        Ok(chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::ChunkSet;

    #[test]
    fn sets_are_written_as_ranges_and_read_back() {
        for (chunks, text) in [
            (vec![], ""),
            (vec![3], "3"),
            (vec![0, 1, 2, 3], "0-3"),
            (vec![7, 0, 1, 12, 8, 7], "0-1,7-8,12"),
            (vec![4, 2, 0, 3, 1], "0-4"),
        ] {
            let mut set = ChunkSet::default();
            chunks.iter().for_each(|chunk| set.insert(*chunk));
            assert_eq!(set.to_string(), text);
            assert!((0..20).all(|chunk| set.contains(chunk) == chunks.contains(&chunk)), "{text}");
            assert_eq!(text.parse(), Ok(set));
        }
        for bad in ["a", "1-", "-1", "1-2-3", "0-4000000000", "1 2", "7-3"] {
            assert!(bad.parse::<ChunkSet>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_set_is_as_small_as_it_is_written() {
        let overlapping: ChunkSet = "5-9,0-3,2-6,0-999999,12".parse().unwrap();
        assert_eq!(overlapping.to_string(), "0-999999");
        assert_eq!(overlapping.ranges.len(), 1);
    }
}
