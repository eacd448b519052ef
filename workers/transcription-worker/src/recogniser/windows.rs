//! What of a chunk is decoded at once: all of it, or its halves where it is long and pauses in between.

use std::{iter, ops::Range};

use super::{SAMPLE_RATE, loudness::Loudness};

/// Seconds up to which a chunk stays whole, for the sake of its sentences. Of longer ones more words are heard right when
/// they are halved.
const LONGEST: f64 = 12.0;
/// Seconds of the shortest pause to cut in.
const PAUSE: f64 = 0.25;

/// Ranges of a chunk's samples, in order and without gaps.
pub(super) fn windows(pcm: &[f32]) -> Vec<Range<usize>> {
    let length = pcm.len() as f64 / SAMPLE_RATE as f64;
    let pause = (length > LONGEST).then(|| Loudness::of(pcm).longest_pause(0.3 * length, 0.7 * length)).flatten();
    match pause {
        Some((from, to)) if to - from >= PAUSE => {
            let cut = (f64::midpoint(from, to) * SAMPLE_RATE as f64) as usize;
            vec![0..cut, cut..pcm.len()]
        }
        _ => iter::once(0..pcm.len()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{SAMPLE_RATE, windows};

    #[test]
    fn long_chunks_are_halved_where_somebody_pauses() {
        for (length, pauses, expected) in [
            (11.0, vec![(5.0, 6.0)], vec![11.0]),
            (16.0, vec![], vec![16.0]),
            (16.0, vec![(1.0, 3.0), (13.0, 15.0)], vec![16.0]),
            (16.0, vec![(6.0, 6.5), (8.0, 9.0)], vec![8.5, 7.5]),
        ] {
            let is_loud = |time: f64| !pauses.iter().any(|(from, to)| (*from..*to).contains(&time));
            let syllables = |at: usize| if at / 800 % 10 == 5 { 0.3 } else { 1.0 };
            let sample = |at: usize| {
                if is_loud(at as f64 / SAMPLE_RATE as f64) { (at as f32 * 0.3).sin() * syllables(at) } else { 0.0 }
            };
            let pcm: Vec<f32> = (0..(length * SAMPLE_RATE as f64) as usize).map(sample).collect();
            let windows: Vec<f64> =
                windows(&pcm).iter().map(|window| window.len() as f64 / SAMPLE_RATE as f64).collect();
            assert_eq!(windows, expected, "{length} s, {pauses:?}");
        }
    }
}
