//! One stream of a recording: what is said in it, as chunks.

use audio::speech_segments::{SpeechSegment, SpeechSegmenter, milliseconds};

use crate::{
    chunker::{AudioChunk, Chunker},
    spoken_time::SpokenTime,
};

/// How long a chunk of one of several channels waits for more speech of its own, in samples: others go on speaking, and
/// who reads along wants the words in their order.
const LONGEST_WAIT: u64 = milliseconds(60_000);

/// What all streams of a recording have given.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) chunks: Vec<AudioChunk>,
    pub(crate) spoken: SpokenTime,
}

pub(crate) struct Listener {
    segmenter: SpeechSegmenter,
    chunker: Chunker,
    /// Whether it is one channel of several.
    is_apart: bool,
    position: u64,
    pcm: Vec<i16>,
    segments: Vec<SpeechSegment>,
}

impl Listener {
    pub(crate) fn new(channel: Option<u32>) -> Self {
        Self {
            segmenter: SpeechSegmenter::new(),
            chunker: Chunker::new(channel),
            is_apart: channel.is_some(),
            position: 0,
            pcm: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// Takes the next samples in.
    pub(crate) fn hear(&mut self, samples: &[f32], found: &mut Found) {
        self.pcm.clear();
        self.pcm.extend(samples.iter().map(|sample| (sample * 32_768.0).round() as i16));
        self.position += self.pcm.len() as u64;
        self.segmenter.push(&self.pcm, &mut self.segments);
        self.fill_chunks(found);
    }

    /// Nothing but digital silence came for a while.
    pub(crate) fn end_in_silence(&mut self, found: &mut Found) {
        self.segmenter.end_in_silence(&mut self.segments);
        self.fill_chunks(found);
    }

    /// Whether more silence would change nothing.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.segmenter.is_at_rest()
    }

    pub(crate) fn skip_silence(&mut self, samples: u64) {
        self.position += samples;
        self.segmenter.skip_silence(samples);
    }

    /// The recording has ended.
    pub(crate) fn finish(mut self, found: &mut Found) {
        let segmenter = std::mem::take(&mut self.segmenter);
        segmenter.finish(&mut self.segments);
        self.fill_chunks(found);
        found.chunks.extend(self.chunker.finish());
    }

    fn fill_chunks(&mut self, found: &mut Found) {
        for segment in self.segments.drain(..) {
            found.spoken.add(segment.speech.clone());
            found.chunks.extend(self.chunker.push(segment));
        }
        if self.is_apart {
            found.chunks.extend(self.chunker.end_before(self.position.saturating_sub(LONGEST_WAIT)));
        }
    }
}
