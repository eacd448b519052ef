//! Phrases: stretches of speech with the audio around them.
//!
//! It joins what the detector says to the samples, keeps no more of them than it needs, and
//! knows nothing of chunks. Between two phrases lies a pause of at least 0.25 s, except where a
//! phrase grew too long for a chunk and was cut at its quietest point.

use std::{collections::VecDeque, ops::Range};

use crate::speech::{Edge, FRAME, SpeechDetector, is_steady};

/// Samples at 16 kHz in so many milliseconds.
pub(crate) const fn milliseconds(milliseconds: u64) -> u64 {
    milliseconds * 16
}

/// Audio kept on each side of a phrase at a chunk's edge, for the recogniser hears words better
/// with their onset and decay.
pub(crate) const PADDING: u64 = milliseconds(400);
/// Audio kept on each side of a phrase inside a chunk: the padding, and half of the 0.5 s that
/// longer silences are shortened to.
const MARGIN: u64 = PADDING + milliseconds(250);
/// The longest phrase. With its padding it is a chunk of 28 s: Whisper's window of 30 s with room for its own rounding.
const LONGEST: u64 = milliseconds(28_000) - 2 * PADDING;
/// How far from its end a phrase of [`LONGEST`] is searched for the quietest point.
const SEARCHED: u64 = milliseconds(5_000);
/// Frames over which loudness is averaged in that search: 0.2 s, the length of a short pause.
const QUIET_FRAMES: usize = 13;

/// All positions are samples of the recording at 16 kHz.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// Where something is said.
    pub(crate) speech: Range<u64>,
    /// Where `audio` begins: no later than the speech.
    pub(crate) start: u64,
    /// The speech and up to 0.65 s before and after. Where two phrases are nearer than twice
    /// that, their audio meets in the middle of the pause.
    pub(crate) audio: Vec<i16>,
}

impl Phrase {
    pub(crate) fn end(&self) -> u64 {
        self.start + self.audio.len() as u64
    }
}

pub(crate) struct PhraseFinder {
    detector: SpeechDetector,
    /// Samples that do not fill a frame yet.
    partial: Vec<i16>,
    /// The latest samples, up to the end of the last whole frame.
    history: VecDeque<i16>,
    /// Where the history begins and ends in the recording.
    history_start: u64,
    position: u64,
    /// Where the open phrase's speech began.
    open_since: Option<u64>,
    /// A finished phrase's speech, as long as the audio behind it may still belong to it.
    closed: Option<Range<u64>>,
    /// End of the audio that phrases took so far.
    taken: u64,
}

impl PhraseFinder {
    pub(crate) fn new() -> Self {
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

    /// Takes the next samples in and appends the phrases that are complete.
    pub(crate) fn push(&mut self, samples: &[i16], phrases: &mut Vec<Phrase>) {
        let mut rest = samples;
        while !rest.is_empty() {
            let (next, after) = rest.split_at(rest.len().min(FRAME - self.partial.len()));
            self.partial.extend_from_slice(next);
            rest = after;
            if let Ok(frame) = <&[i16; FRAME]>::try_from(self.partial.as_slice()) {
                let frame = *frame;
                self.partial.clear();
                self.push_frame(&frame, phrases);
            }
        }
    }

    /// Ends the recording: an open phrase ends with it.
    pub(crate) fn finish(mut self, phrases: &mut Vec<Phrase>) {
        self.history.extend(self.partial.iter());
        self.position += self.partial.len() as u64;
        if let Some(start) = self.open_since {
            self.closed = Some(start..self.position);
        }
        if let Some(speech) = self.closed.take() {
            let end = self.position.min(speech.end + MARGIN);
            phrases.extend(self.take(speech, end));
        }
    }

    fn push_frame(&mut self, frame: &[i16; FRAME], phrases: &mut Vec<Phrase>) {
        let frame_start = self.position;
        self.history.extend(frame);
        self.position += FRAME as u64;
        match self.detector.push(frame) {
            Some(Edge::Opened) => self.open(frame_start, phrases),
            Some(Edge::Closed { frames_ago }) => {
                let end = self.position - u64::from(frames_ago) * FRAME as u64;
                // Empty where the phrase was split inside the pause that has now ended it.
                self.closed = self.open_since.take().map(|start| start..end).filter(|speech| !speech.is_empty());
            }
            None => {}
        }
        self.release_closed(phrases);
        self.split_long(phrases);
        self.forget();
    }

    fn open(&mut self, start: u64, phrases: &mut Vec<Phrase>) {
        if let Some(speech) = self.closed.take() {
            let middle = speech.end + (start - speech.end) / 2;
            phrases.extend(self.take(speech, middle));
        }
        self.open_since = Some(start);
    }

    /// Hands out the closed phrase once the pause behind it is longer than two margins.
    fn release_closed(&mut self, phrases: &mut Vec<Phrase>) {
        if let Some(speech) = self.closed.take_if(|speech| self.position >= speech.end + 2 * MARGIN) {
            let end = speech.end + MARGIN;
            phrases.extend(self.take(speech, end));
        }
    }

    fn split_long(&mut self, phrases: &mut Vec<Phrase>) {
        let Some(start) = self.open_since.filter(|start| self.position - start >= LONGEST) else { return };
        let cut = self.quietest_point();
        phrases.extend(self.take(start..cut, cut));
        self.open_since = Some(cut);
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

    /// Copies a phrase out of the history, its audio ending at `end`. `None` where it turns out
    /// to be no speech.
    fn take(&mut self, speech: Range<u64>, end: u64) -> Option<Phrase> {
        let start = speech.start.saturating_sub(MARGIN).max(self.taken);
        self.taken = end;
        let spoken = self.copy(speech.clone());
        let audio = self.copy(start..end);
        // A short phrase tells too little: one that drowns in what is around it is no speech.
        let judged = if speech.end - speech.start < milliseconds(1_000) { &audio } else { &spoken };
        (!is_steady(judged)).then_some(Phrase { speech, start, audio })
    }

    fn copy(&self, range: Range<u64>) -> Vec<i16> {
        let range = (range.start - self.history_start) as usize..(range.end - self.history_start) as usize;
        self.history.range(range).copied().collect()
    }

    /// Drops samples that no phrase can take any more.
    fn forget(&mut self) {
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
