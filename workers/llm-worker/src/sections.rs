//! Where a recording falls into sections: at the longest pauses near equal distances.
//!
//! It knows nothing of models; the same transcript always gives the same sections.

use engine::transcript::{Segment, Transcript};

const MOST_SECTIONS: f64 = 30.0;

/// How far from its ideal place a border may lie, as a share of a section's length.
const LEEWAY: f64 = 0.35;

/// A run of segments, and its times in seconds of the recording.
#[derive(Debug, PartialEq)]
pub(crate) struct Section<'a> {
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) segments: &'a [Segment],
}

/// The sections of a transcript, in order and without gaps: the first begins at 0, the last ends
/// with the recording. None where nothing was said.
pub(crate) fn sections(transcript: &Transcript) -> Vec<Section<'_>> {
    let segments = transcript.segments.as_slice();
    let Some(first) = segments.iter().position(|segment| !segment.text.trim().is_empty()) else { return Vec::new() };
    let mut sections = Vec::new();
    let mut from = (0, 0.0);
    for border in borders(transcript, first) {
        let start = segments[border].start;
        sections.push(Section { start: from.1, end: start, segments: &segments[from.0..border] });
        from = (border, start);
    }
    sections.push(Section { start: from.1, end: transcript.duration_s, segments: &segments[from.0..] });
    sections
}

/// The segments that begin a section, the first one left out.
fn borders(transcript: &Transcript, first: usize) -> Vec<usize> {
    let segments = &transcript.segments;
    let sections = section_count(transcript.duration_s);
    let length = transcript.duration_s / sections;
    let mut borders = Vec::new();
    let mut after = first;
    for number in 1..sections as usize {
        let ideal = number as f64 * length;
        let near = (after + 1..segments.len()).filter(|&at| {
            let start = segments[at].start;
            (start - ideal).abs() <= LEEWAY * length
                && start > segments[after].start
                && start < transcript.duration_s
                && !segments[at].text.trim().is_empty()
        });
        let pause = |at: usize| segments[at].start - segments[at - 1].end;
        let distance = |at: usize| (segments[at].start - ideal).abs();
        let best = near.max_by(|&a, &b| pause(a).total_cmp(&pause(b)).then(distance(b).total_cmp(&distance(a))));
        borders.extend(best);
        after = best.unwrap_or(after);
    }
    borders
}

/// Longer recordings have more sections, and longer ones: 3 in 4 minutes, 12 in an hour.
fn section_count(duration_s: f64) -> f64 {
    (1.5 * (duration_s / 60.0).max(0.0).sqrt()).round().clamp(1.0, MOST_SECTIONS)
}

#[cfg(test)]
mod tests {
    use engine::transcript::{Segment, Transcript};

    use super::sections;

    #[test]
    fn sections_cover_the_recording_and_begin_after_pauses() {
        for (duration, segments, expected) in [
            (60.0, vec![], vec![]),
            (60.0, vec![(0.0, 1.0, " ")], vec![]),
            (11.0, vec![(0.3, 10.4, "a")], vec![(0.0, 11.0)]),
            // Three sections of four minutes: the longer pause wins over the nearer one.
            (
                240.0,
                vec![(1.0, 60.0, "a"), (60.1, 70.0, "b"), (75.0, 100.0, "c"), (100.2, 158.0, "d"), (165.0, 239.0, "e")],
                vec![(0.0, 75.0), (75.0, 165.0), (165.0, 240.0)],
            ),
            // A pause with silence only gives no section of its own.
            (240.0, vec![(1.0, 30.0, "a"), (31.0, 200.0, "b"), (201.0, 230.0, "")], vec![(0.0, 240.0)]),
            // Times beyond the recording cannot begin a section.
            (240.0, vec![(1.0, 250.0, "a"), (251.0, 260.0, "b")], vec![(0.0, 240.0)]),
        ] {
            check(duration, &segments, &expected);
        }
    }

    fn check(duration_s: f64, segments: &[(f64, f64, &str)], expected: &[(f64, f64)]) {
        let transcript = Transcript {
            text: String::new(),
            language: "en".to_owned(),
            duration_s,
            run_id: String::new(),
            segments: segments.iter().map(segment).collect(),
        };
        let found = sections(&transcript);
        let times: Vec<_> = found.iter().map(|section| (section.start, section.end)).collect();
        assert_eq!(times, expected, "{segments:?}");
        if !found.is_empty() {
            assert_eq!(found.iter().map(|section| section.segments.len()).sum::<usize>(), segments.len());
        }
    }

    fn segment(&(start, end, text): &(f64, f64, &str)) -> Segment {
        Segment {
            id: 0,
            start,
            end,
            text: text.to_owned(),
            tokens: Vec::new(),
            temperature: 0.0,
            avg_logprob: 0.0,
            compression_ratio: 1.0,
            no_speech_prob: 0.0,
            words: Vec::new(),
            flags: Vec::new(),
        }
    }
}
