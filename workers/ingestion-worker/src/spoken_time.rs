//! How long somebody speaks in a recording: what two say at once is not counted twice.

use std::ops::Range;

/// Samples after which no stretch is reported that lies before them: channels go through a recording side by side.
const SETTLED: u64 = 120 * 16_000;

#[derive(Debug, Default)]
pub(crate) struct SpokenTime {
    settled: u64,
    /// In order, none of which touches another.
    recent: Vec<Range<u64>>,
}

impl SpokenTime {
    pub(crate) fn add(&mut self, stretch: Range<u64>) {
        let touches = |known: &Range<u64>| known.start <= stretch.end && stretch.start <= known.end;
        let first = self.recent.partition_point(|known| known.end < stretch.start);
        let touched = self.recent[first..].iter().take_while(|known| touches(known)).count();
        let joined = self.recent[first..first + touched]
            .iter()
            .fold(stretch.clone(), |joined, known| joined.start.min(known.start)..joined.end.max(known.end));
        self.recent.splice(first..first + touched, [joined]);
        let settled = self.recent.partition_point(|known| known.end + SETTLED < stretch.end);
        self.settled += self.recent.drain(..settled).map(length).sum::<u64>();
    }

    pub(crate) fn samples(&self) -> u64 {
        self.settled + self.recent.iter().cloned().map(length).sum::<u64>()
    }
}

fn length(stretch: Range<u64>) -> u64 {
    stretch.end - stretch.start
}

#[cfg(test)]
mod tests {
    use super::{SETTLED, SpokenTime};

    #[test]
    fn what_overlaps_counts_once() {
        let mut spoken = SpokenTime::default();
        for (stretch, samples) in [
            (10..20, 10),
            (30..40, 20),
            (0..5, 25),
            (15..32, 35),
            (12..13, 35),
            (50..60, 45),
            (SETTLED + 100..SETTLED + 110, 55),
            (SETTLED + 105..SETTLED + 120, 65),
        ] {
            spoken.add(stretch.clone());
            assert_eq!(spoken.samples(), samples, "with {stretch:?}");
        }
        assert_eq!(spoken.recent.len(), 1, "what is settled is kept as a number");
    }
}
