//! How loud a chunk is, moment by moment.

use std::ops::Range;

use super::SAMPLE_RATE;

/// No sample of a silent chunk is further from 0: three steps of 16-bit sound, -81 dB.
const SILENCE: f32 = 1e-4;

pub(super) fn is_silent(pcm: &[f32]) -> bool {
    pcm.iter().all(|sample| sample.abs() <= SILENCE)
}

/// Samples of one moment: 10 ms.
const MOMENT: usize = SAMPLE_RATE / 100;

/// Where a chunk is loud enough to be speech.
pub(super) struct Loudness {
    loud: Vec<bool>,
}

impl Loudness {
    /// A moment counts as loud when it is less than 30 dB below the chunk's loudest ones and
    /// well above its quietest ones.
    pub(super) fn of(pcm: &[f32]) -> Self {
        const BELOW_LOUDEST: f32 = 1e-3;
        const ABOVE_QUIETEST: f32 = 4.0;
        let power: Vec<f32> = pcm.chunks(MOMENT).map(mean_square).collect();
        let mut sorted = power.clone();
        sorted.sort_by(f32::total_cmp);
        let percentile = |percent: usize| sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default();
        let threshold = (percentile(95) * BELOW_LOUDEST).max(percentile(5) * ABOVE_QUIETEST);
        Self { loud: power.into_iter().map(|power| power > threshold).collect() }
    }

    /// Narrows a span of seconds to where it is loud, which at its ends has to be more than the
    /// rest of another word after a pause. As it is where no moment of it is loud.
    pub(super) fn narrow(&self, start: f64, end: f64) -> (f64, f64) {
        const REST: usize = 15;
        let stretches = self.stretches(moment(start)..moment(end));
        let longest = stretches.iter().map(Range::len).max().unwrap_or_default();
        let is_rest = |stretch: &&Range<usize>| stretch.len() < REST.min(longest);
        let first = stretches.iter().find(|stretch| !is_rest(stretch));
        let last = stretches.iter().rfind(|stretch| !is_rest(stretch));
        match (first, last) {
            (Some(first), Some(last)) => (seconds(first.start).max(start), seconds(last.end).min(end)),
            _ => (start, end),
        }
    }

    /// The pauses that no word has inside it, in seconds.
    pub(super) fn pauses(&self) -> Vec<(f64, f64)> {
        const LONG: usize = 30;
        let stretches = self.stretches(0..self.loud.len());
        let between = stretches.windows(2).filter(|pair| pair[1].start - pair[0].end >= LONG);
        between.map(|pair| (seconds(pair[0].end), seconds(pair[1].start))).collect()
    }

    /// Loud moments, joined where less than a pause lies between them.
    fn stretches(&self, within: Range<usize>) -> Vec<Range<usize>> {
        const PAUSE: usize = 20;
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for moment in within.start..within.end.min(self.loud.len()) {
            if !self.loud[moment] {
                continue;
            }
            match stretches.last_mut() {
                Some(last) if moment < last.end + PAUSE => last.end = moment + 1,
                _ => stretches.push(moment..moment + 1),
            }
        }
        stretches
    }
}

fn seconds(moment: usize) -> f64 {
    (moment * MOMENT) as f64 / SAMPLE_RATE as f64
}

fn moment(seconds: f64) -> usize {
    (seconds * SAMPLE_RATE as f64 / MOMENT as f64).round() as usize
}

fn mean_square(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32
}

#[cfg(test)]
mod tests {
    use super::{Loudness, SAMPLE_RATE, is_silent};

    #[test]
    fn only_nothing_is_silence() {
        for (amplitude, expected) in [(0.0, true), (2.0 / 32_768.0, true), (20.0 / 32_768.0, false), (0.5, false)] {
            let pcm: Vec<f32> = (0..SAMPLE_RATE).map(|at| if at % 7 < 3 { amplitude } else { -amplitude }).collect();
            assert_eq!(is_silent(&pcm), expected, "{amplitude}");
        }
    }

    #[test]
    fn spans_shrink_to_what_is_loud_in_them() {
        let loudness = Loudness::of(&hum(3.0, &[(1.0, 2.0)]));
        for (span, expected) in
            [((0.5, 1.5), (1.0, 1.5)), ((1.2, 1.8), (1.2, 1.8)), ((0.0, 9.0), (1.0, 2.0)), ((0.1, 0.6), (0.1, 0.6))]
        {
            assert_eq!(loudness.narrow(span.0, span.1), expected, "{span:?}");
        }
    }

    #[test]
    fn only_long_silences_are_pauses() {
        let loudness = Loudness::of(&hum(6.0, &[(0.0, 1.0), (1.25, 2.0), (3.0, 4.0)]));
        assert_eq!(loudness.pauses(), [(2.0, 3.0)]);
    }

    /// So many seconds, loud in the given spans and faint elsewhere.
    fn hum(seconds: f64, loud: &[(f64, f64)]) -> Vec<f32> {
        let samples = 0..(seconds * SAMPLE_RATE as f64) as usize;
        let sample = |at: usize| {
            let time = at as f64 / SAMPLE_RATE as f64;
            let amplitude = if loud.iter().any(|(from, to)| (*from..*to).contains(&time)) { 0.3 } else { 0.001 };
            (at as f32 * 0.3).sin() * amplitude
        };
        samples.map(sample).collect()
    }
}
