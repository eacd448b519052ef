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
