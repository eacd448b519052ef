//! Speech segments: stretches of speech with the audio around them.
//!
//! It joins what the detector says to the samples, keeps no more of them than it needs, and
//! knows nothing of chunks. Between two segments lies a pause of at least 0.25 s, except where a
//! segment grew too long for a chunk and was split at its quietest point.

use std::{collections::VecDeque, ops::Range};

use crate::speech::{Edge, FRAME, SpeechDetector, is_steady};

/// Samples at 16 kHz in so many milliseconds.
pub const fn milliseconds(milliseconds: u64) -> u64 {
    milliseconds * 16
}

/// Audio kept on each side of a segment at a chunk's edge, for the recogniser hears words better
/// with their onset and decay.
pub const PADDING: u64 = milliseconds(400);
/// Audio kept on each side of a segment inside a chunk: the padding, and half of the 0.5 s that
/// longer silences are shortened to.
const MARGIN: u64 = PADDING + milliseconds(250);
/// The longest segment. With its padding it is a chunk of 28 s: Whisper's window of 30 s with room for its own rounding.
const LONGEST: u64 = milliseconds(28_000) - 2 * PADDING;
/// How far from its end a segment of [`LONGEST`] is searched for the quietest point.
const SEARCHED: u64 = milliseconds(5_000);
/// Frames over which loudness is averaged in that search: 0.2 s, the length of a short pause.
const QUIET_FRAMES: usize = 13;

/// All positions are samples of the recording at 16 kHz.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechSegment {
    /// Where something is said.
    pub speech: Range<u64>,
    /// Where `audio` begins: no later than the speech.
    pub start: u64,
    /// The speech and up to 0.65 s before and after. Where two segments are nearer than twice
    /// that, their audio meets in the middle of the pause.
    pub audio: Vec<i16>,
}

impl SpeechSegment {
    pub fn end(&self) -> u64 {
        self.start + self.audio.len() as u64
    }
}

pub struct SpeechSegmenter {
    detector: SpeechDetector,
    /// Samples that do not fill a frame yet.
    partial: Vec<i16>,
    /// The latest samples, up to the end of the last whole frame.
    history: VecDeque<i16>,
    /// Where the history begins and ends in the recording.
    history_start: u64,
    position: u64,
    /// Where the open segment's speech began.
    open_since: Option<u64>,
    /// A finished segment's speech, as long as the audio after it may still belong to it.
    closed: Option<Range<u64>>,
    /// End of the audio that segments took so far.
    taken: u64,
}

impl Default for SpeechSegmenter {
    fn default() -> Self {
        Self::new()
    }
}

impl SpeechSegmenter {
    pub fn new() -> Self {
        Self {
            detector: SpeechDetector::new(),
            partial: Vec::with_capacity(FRAME),
            history: VecDeque::new(),
            history_start: 0,
            position: 0,
            open_since: None,
            closed: None,
            taken: 0,
        }
    }

    /// Takes the next samples in and appends the segments that are complete.
    pub fn push(&mut self, samples: &[i16], segments: &mut Vec<SpeechSegment>) {
        let mut rest = samples;
        while !rest.is_empty() {
            let (next, after) = rest.split_at(rest.len().min(FRAME - self.partial.len()));
            self.partial.extend_from_slice(next);
            rest = after;
            if let Ok(frame) = <&[i16; FRAME]>::try_from(self.partial.as_slice()) {
                let frame = *frame;
                self.partial.clear();
                self.push_frame(&frame, segments);
            }
        }
    }

    /// Ends the open segment where nothing but digital silence came for a while: the model may take that for more of the
    /// speech before.
    pub fn end_in_silence(&mut self, segments: &mut Vec<SpeechSegment>) {
        let silent = self.history.iter().rev().take_while(|sample| **sample == 0).count() as u64;
        if silent < 2 * MARGIN {
            return;
        }
        if let Some(start) = self.open_since.take() {
            self.detector.close();
            self.closed = Some(start..self.position - silent).filter(|speech| !speech.is_empty());
        }
        self.release_closed(segments);
        self.drop_history();
    }

    /// Whether more silence would change nothing but the position, after a while of it.
    pub fn is_at_rest(&self) -> bool {
        self.open_since.is_none()
            && self.closed.is_none()
            && self.history.len() as u64 >= MARGIN
            && self.history.iter().chain(&self.partial).all(|sample| *sample == 0)
    }

    /// As [`Self::push`] of so much digital silence, where it [is at rest](Self::is_at_rest): as quick for an hour as for a
    /// second.
    pub fn skip_silence(&mut self, samples: u64) {
        let waiting = self.partial.len() as u64 + samples;
        let frames = waiting / FRAME as u64;
        self.detector.skip_silence(frames);
        self.position += frames * FRAME as u64;
        self.history_start += frames * FRAME as u64;
        self.partial.resize((waiting % FRAME as u64) as usize, 0);
    }

    /// Ends the recording: an open segment ends with it.
    pub fn finish(mut self, segments: &mut Vec<SpeechSegment>) {
        self.history.extend(self.partial.iter());
        self.position += self.partial.len() as u64;
        if let Some(start) = self.open_since {
            self.closed = Some(start..self.position);
        }
        if let Some(speech) = self.closed.take() {
            let end = self.position.min(speech.end + MARGIN);
            segments.extend(self.take(speech, end));
        }
    }

    fn push_frame(&mut self, frame: &[i16; FRAME], segments: &mut Vec<SpeechSegment>) {
        let frame_start = self.position;
        self.history.extend(frame);
        self.position += FRAME as u64;
        match self.detector.push(frame) {
            Some(Edge::Opened) => self.open(frame_start, segments),
            Some(Edge::Closed { frames_ago }) => {
                let end = self.position - u64::from(frames_ago) * FRAME as u64;
                // Empty where the segment was split inside the pause that has now ended it.
                self.closed = self.open_since.take().map(|start| start..end).filter(|speech| !speech.is_empty());
            }
            None => {}
        }
        self.release_closed(segments);
        self.split_long(segments);
        self.drop_history();
    }

    fn open(&mut self, start: u64, segments: &mut Vec<SpeechSegment>) {
        if let Some(speech) = self.closed.take() {
            let middle = speech.end + (start - speech.end) / 2;
            segments.extend(self.take(speech, middle));
        }
        self.open_since = Some(start);
    }

    /// Hands out the closed segment once the pause after it is longer than two margins.
    fn release_closed(&mut self, segments: &mut Vec<SpeechSegment>) {
        if let Some(speech) = self.closed.take_if(|speech| self.position >= speech.end + 2 * MARGIN) {
            let end = speech.end + MARGIN;
            segments.extend(self.take(speech, end));
        }
    }

    fn split_long(&mut self, segments: &mut Vec<SpeechSegment>) {
        let Some(start) = self.open_since.filter(|start| self.position - start >= LONGEST) else { return };
        let split = self.quietest_point();
        segments.extend(self.take(start..split, split));
        self.open_since = Some(split);
    }

    /// The middle of the quietest stretch near the end of the history.
    fn quietest_point(&self) -> u64 {
        let first = self.position - SEARCHED;
        let loudness: Vec<f64> = self.copy(first..self.position).chunks_exact(FRAME).map(energy).collect();
        let quietest = loudness
            .windows(QUIET_FRAMES)
            .enumerate()
            .map(|(frame, window)| (frame, window.iter().sum::<f64>()))
            .min_by(|(_, left), (_, right)| left.total_cmp(right))
            .map_or(0, |(frame, _)| frame);
        first + ((quietest + QUIET_FRAMES / 2) * FRAME) as u64
    }

    /// Copies a segment out of the history, its audio ending at `end`. `None` where it turns out
    /// to be no speech.
    fn take(&mut self, speech: Range<u64>, end: u64) -> Option<SpeechSegment> {
        let start = speech.start.saturating_sub(MARGIN).max(self.taken);
        self.taken = end;
        let spoken = self.copy(speech.clone());
        let audio = self.copy(start..end);
        // A short segment tells too little: one that drowns in what is around it is no speech.
        let judged = if speech.end - speech.start < milliseconds(1_000) { &audio } else { &spoken };
        (!is_steady(judged)).then_some(SpeechSegment { speech, start, audio })
    }

    fn copy(&self, range: Range<u64>) -> Vec<i16> {
        let range = (range.start - self.history_start) as usize..(range.end - self.history_start) as usize;
        self.history.range(range).copied().collect()
    }

    /// Drops samples that no segment can take any more.
    fn drop_history(&mut self) {
        let speech_start = self.closed.as_ref().map(|speech| speech.start).or(self.open_since);
        let needed = speech_start.unwrap_or(self.position).saturating_sub(MARGIN).max(self.taken);
        let surplus = needed.saturating_sub(self.history_start).min(self.history.len() as u64);
        self.history.drain(..surplus as usize);
        self.history_start += surplus;
    }
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::{FRAME, SpeechSegment, SpeechSegmenter, milliseconds};

    /// Three seconds of something that the detector takes for speech: noise in syllables.
    fn babble() -> Vec<i16> {
        let numbers = std::iter::successors(Some(1_u32), |number| {
            Some(number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
        });
        let samples = numbers.take(milliseconds(3_000) as usize).zip(0_u64..);
        samples
            .map(|(number, at)| {
                let pitch = (at as f64 * 2.0 * std::f64::consts::PI * 140.0 / 16_000.0).sin().powi(7);
                let syllable = (at as f64 * 2.0 * std::f64::consts::PI * 4.0 / 16_000.0).sin().max(0.0);
                let noise = f64::from(number >> 16) / 32_768.0 - 1.0;
                ((pitch + 0.2 * noise) * syllable * 12_000.0) as i16
            })
            .collect()
    }

    /// The segments of babble, a silence, and babble again.
    fn segments(silence: impl FnOnce(&mut SpeechSegmenter, &mut Vec<SpeechSegment>)) -> Vec<SpeechSegment> {
        let (mut segmenter, mut segments) = (SpeechSegmenter::new(), Vec::new());
        segmenter.push(&babble(), &mut segments);
        silence(&mut segmenter, &mut segments);
        segmenter.push(&babble(), &mut segments);
        segmenter.finish(&mut segments);
        segments
    }

    #[test]
    fn skipped_silence_is_as_pushed_silence() {
        // Not of whole frames.
        let (settling, rest) = (milliseconds(10_000) as usize + 77, milliseconds(600_000) as usize + 33);
        let settle = |segmenter: &mut SpeechSegmenter, segments: &mut Vec<SpeechSegment>| {
            segmenter.push(&vec![0; settling], segments);
            segmenter.end_in_silence(segments);
            assert!(segmenter.is_at_rest());
        };
        let pushed = segments(|segmenter, segments| {
            settle(segmenter, segments);
            segmenter.push(&vec![0; rest], segments);
        });
        let skipped = segments(|segmenter, segments| {
            settle(segmenter, segments);
            segmenter.skip_silence(rest as u64);
        });
        assert_eq!((pushed.len(), skipped.len()), (2, 2));
        for (skipped, pushed) in skipped.iter().zip(&pushed) {
            // After so much silence the detector is awake a frame sooner or later.
            let edges = [(skipped.speech.start, pushed.speech.start), (skipped.speech.end, pushed.speech.end)];
            assert!(edges.iter().all(|(one, other)| one.abs_diff(*other) <= FRAME as u64), "{edges:?}");
            assert_eq!(skipped.start.abs_diff(skipped.speech.start), pushed.start.abs_diff(pushed.speech.start));
        }
    }

    #[test]
    fn it_is_at_rest_only_after_silence() {
        let (mut segmenter, mut segments) = (SpeechSegmenter::new(), Vec::new());
        assert!(!segmenter.is_at_rest(), "nothing came yet");
        segmenter.push(&babble(), &mut segments);
        assert!(!segmenter.is_at_rest());
    }
}
