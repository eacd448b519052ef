//! Sums of time in which things overlap.

use std::time::Duration;

use crate::build_event::Moment;

/// The time that the intervals cover together, whatever their order and overlap.
pub(super) fn covered(intervals: impl IntoIterator<Item = (Moment, Moment)>) -> Duration {
    let mut intervals: Vec<(Moment, Moment)> = intervals.into_iter().collect();
    intervals.sort();
    let mut total = Duration::ZERO;
    let mut reached = Moment::default();
    for (start, end) in intervals {
        total += end.since(start.max(reached));
        reached = reached.max(end);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_time_counts_once() {
        let at = |seconds| Moment(Duration::from_secs(seconds));
        let table: &[(&[(u64, u64)], u64)] = &[
            (&[], 0),
            (&[(1, 3)], 2),
            (&[(1, 3), (2, 5)], 4),
            (&[(4, 5), (1, 2)], 2),
            (&[(1, 9), (2, 3)], 8),
            (&[(3, 3)], 0),
        ];
        for (intervals, expected) in table {
            let intervals = intervals.iter().map(|(start, end)| (at(*start), at(*end)));
            assert_eq!(covered(intervals.clone()).as_secs(), *expected, "{intervals:?}");
        }
    }
}
