//! Where in the recording the decoded samples belong.
//!
//! Containers may have holes: packets that were damaged or never sent. Silence fills them, so that
//! a time in the samples is a time in the recording.

/// Differences up to this are rounding of timestamps, not holes.
const ROUNDING_S: f64 = 0.1;
/// A longer hole is taken for a broken clock, not for silence.
const LONGEST_HOLE_S: f64 = 3_600.0;

#[derive(Debug, Default)]
pub(super) struct Timeline {
    written_s: f64,
    /// What has to be added to timestamps since the clock last jumped.
    shift_s: f64,
}

impl Timeline {
    /// Seconds of audio so far, filled holes included.
    pub(super) fn written_s(&self) -> f64 {
        self.written_s
    }

    /// Notes a block of `length_s` that its timestamp, if it has one, places at `at_s`. Gives the
    /// seconds of silence that belong before it.
    pub(super) fn advance(&mut self, at_s: Option<f64>, length_s: f64) -> f64 {
        let hole_s = at_s.map_or(0.0, |at| self.hole_before(at));
        self.written_s += hole_s + length_s;
        hole_s
    }

    fn hole_before(&mut self, at_s: f64) -> f64 {
        let ahead = at_s + self.shift_s - self.written_s;
        if ahead.abs() <= ROUNDING_S {
            return 0.0;
        }
        if (0.0..=LONGEST_HOLE_S).contains(&ahead) {
            return ahead;
        }
        self.shift_s -= ahead;
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::Timeline;

    #[test]
    fn holes_are_filled_and_jumps_of_the_clock_are_not() {
        let mut timeline = Timeline::default();
        // Timestamp and length of a block, the silence expected before it, the end after it.
        for (at, length, silence, end) in [
            (Some(0.0), 1.0, 0.0, 1.0),
            (Some(1.05), 1.0, 0.0, 2.0),
            (Some(5.0), 1.0, 3.0, 6.0),
            (None, 1.0, 0.0, 7.0),
            (Some(0.0), 1.0, 0.0, 8.0),
            (Some(1.5), 1.0, 0.5, 9.5),
            (Some(90_000.0), 1.0, 0.0, 10.5),
            (Some(90_001.0), 1.0, 0.0, 11.5),
        ] {
            assert_eq!(timeline.advance(at, length), silence, "at {at:?}");
            assert_eq!(timeline.written_s(), end, "after {at:?}");
        }
    }
}
