//! Speech that the first look at a chunk left without text is looked at again: once, alone, and so with other cuts.

use std::ops::Range;

use engine::transcript::Segment;

use super::{RecogniserError, Recognition, SAMPLE_RATE, loudness::Loudness};

/// Seconds of loud sound without text that are worth it. Less may be a breath, or the end of a word that the text has.
const WORTH_A_LOOK: f64 = 1.2;
/// Seconds that are looked at as one. In more, what was monotonous to Whisper is so again.
const LONGEST_LOOK: f64 = 10.0;

/// Adds to what was heard in a chunk what `look` hears in the stretches that it left out, and tells what stays empty.
pub(super) fn complete(
    mut heard: Recognition,
    pcm: &[f32],
    windows: &[Range<usize>],
    mut look: impl FnMut(&[f32]) -> Result<Recognition, RecogniserError>,
) -> Result<Recognition, RecogniserError> {
    let loudness = Loudness::of(pcm);
    let length = seconds(pcm.len());
    for (from, to) in uncovered(&heard.segments, &loudness, length) {
        for (from, to) in pieces(from, to, windows, &loudness) {
            let samples = sample(from)..sample(to).min(pcm.len());
            let found = look(&pcm[samples.clone()])?;
            heard.fallbacks += 1;
            heard.extend(found, samples.start);
        }
    }
    heard.number();
    let silent = uncovered(&heard.segments, &loudness, length);
    heard.unrecognised = silent.into_iter().map(|(from, to)| loudness.narrow(from, to)).collect();
    Ok(heard)
}

/// The stretches between segments in which somebody may speak, in seconds.
fn uncovered(segments: &[Segment], loudness: &Loudness, length: f64) -> Vec<(f64, f64)> {
    let starts = segments.iter().map(|segment| segment.start).chain([length]);
    let ends = [0.0].into_iter().chain(segments.iter().map(|segment| segment.end));
    ends.zip(starts).filter(|(from, to)| loudness.loud_seconds(*from, *to) >= WORTH_A_LOOK).collect()
}

/// A stretch as it is looked at: whole, unless it is long, or was decoded like that before.
fn pieces(from: f64, to: f64, windows: &[Range<usize>], loudness: &Loudness) -> Vec<(f64, f64)> {
    let is_known = windows.iter().any(|window| from <= seconds(window.start) && seconds(window.end) <= to);
    if !is_known && to - from <= LONGEST_LOOK {
        return vec![(from, to)];
    }
    let quarter = (to - from) / 4.0;
    let (end, start) = loudness.longest_pause(from + quarter, to - quarter).unwrap_or((from, to));
    let cut = f64::midpoint(start, end);
    vec![(from, cut), (cut, to)]
}

fn seconds(samples: usize) -> f64 {
    samples as f64 / SAMPLE_RATE as f64
}

fn sample(seconds: f64) -> usize {
    (seconds * SAMPLE_RATE as f64) as usize
}

#[cfg(test)]
mod tests {
    use engine::transcript::Segment;

    use super::{Recognition, SAMPLE_RATE, complete};

    /// Twenty seconds of syllables but for a second each after 8 s and after 13 s.
    fn sound() -> Vec<f32> {
        let amplitude = |at: usize| match (at / SAMPLE_RATE, at / 800 % 10) {
            (8 | 13, _) => 0.0,
            (_, 5) => 0.3,
            _ => 1.0,
        };
        (0..20 * SAMPLE_RATE).map(|at| (at as f32 * 0.3).sin() * amplitude(at)).collect()
    }

    fn heard(spans: &[(f64, f64)]) -> Recognition {
        let segments = spans.iter().map(|(start, end)| Segment { start: *start, end: *end, ..Segment::default() });
        Recognition { segments: segments.collect(), ..Recognition::default() }
    }

    #[test]
    fn only_what_has_no_text_is_looked_at_and_what_stays_empty_is_told() {
        for (first, looks, found, unrecognised) in [
            (vec![(0.0, 8.0), (9.0, 19.0)], vec![], false, vec![]),
            (vec![(0.0, 8.0)], vec![5.5, 6.5], true, vec![]),
            (vec![(0.0, 8.0)], vec![5.5, 6.5], false, vec![(9.0, 20.0)]),
            (vec![(9.0, 20.0)], vec![9.0], false, vec![(0.0, 8.0)]),
            (vec![], vec![13.5, 6.5], true, vec![]),
        ] {
            let pcm = sound();
            let mut seen = Vec::new();
            let whole = 0..pcm.len();
            let look = |pcm: &[f32]| {
                let seconds = pcm.len() as f64 / SAMPLE_RATE as f64;
                seen.push(seconds);
                Ok(if found { heard(&[(0.0, seconds)]) } else { Recognition::default() })
            };
            let complete = complete(heard(&first), &pcm, &[whole], look).unwrap();
            assert_eq!((seen, &complete.unrecognised), (looks, &unrecognised), "{first:?}");
            assert!(complete.segments.is_sorted_by(|one, next| one.end <= next.start && one.id < next.id));
        }
    }
}
