//! Speech segments to chunks of at most 16 s; a segment that is longer is a chunk by itself.
//!
//! A chunk is filled with segments as long as they fit. It then ends at the longest pause in its
//! last seconds, since a split in a long pause hurts the recogniser least. Silence inside a chunk is
//! shortened, and the chunk's spans tell where its audio lies in the recording.
//!
//! Half of Whisper's window is what costs least: what its encoder and the cross-attention of every token
//! cost grows with the chunk, and the words that are recognised are no worse.

use engine::plan::Span;

use audio::speech_segments::{PADDING, SpeechSegment, milliseconds};

/// A chunk takes no segment that would make it longer, in samples.
const FULL: u64 = milliseconds(16_000);
/// A chunk ends at its longest pause from here on.
const FULL_ENOUGH: u64 = milliseconds(12_000);

/// A chunk's audio and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AudioChunk {
    pub(crate) spans: Vec<Span>,
    pub(crate) audio: Vec<i16>,
}

/// Speech segments that wait for their chunk to fill.
#[derive(Default)]
pub(crate) struct Chunker {
    segments: Vec<SpeechSegment>,
}

impl Chunker {
    /// Takes the next segment in; gives the chunk that it completed by not fitting in.
    pub(crate) fn push(&mut self, segment: SpeechSegment) -> Option<AudioChunk> {
        self.segments.push(segment);
        if self.segments.len() == 1 || chunk_length(&self.segments) <= FULL {
            return None;
        }
        let count = self.best_end();
        let rest = self.segments.split_off(count);
        Some(chunk(&std::mem::replace(&mut self.segments, rest)))
    }

    /// Gives the last chunk.
    pub(crate) fn finish(self) -> Option<AudioChunk> {
        (!self.segments.is_empty()).then(|| chunk(&self.segments))
    }

    /// How many segments the chunk takes: up to the longest pause near its end, provided that
    /// what remains fits one chunk.
    fn best_end(&self) -> usize {
        let last = self.segments.len() - 1;
        (1..=last)
            .filter(|end| {
                let (taken, rest) = self.segments.split_at(*end);
                chunk_length(taken) >= FULL_ENOUGH && chunk_length(rest) <= FULL
            })
            .max_by_key(|end| self.segments[*end].speech.start - self.segments[end - 1].speech.end)
            .unwrap_or(last)
    }
}

/// The part of a segment's audio that a chunk takes when the segment is its first or last one.
fn kept(segment: &SpeechSegment, first: bool, last: bool) -> std::ops::Range<u64> {
    let start = if first { segment.start.max(segment.speech.start.saturating_sub(PADDING)) } else { segment.start };
    let end = if last { segment.end().min(segment.speech.end + PADDING) } else { segment.end() };
    start..end
}

fn chunk_length(segments: &[SpeechSegment]) -> u64 {
    let last = segments.len().saturating_sub(1);
    segments
        .iter()
        .enumerate()
        .map(|(index, segment)| kept(segment, index == 0, index == last))
        .map(|range| range.end - range.start)
        .sum()
}

fn chunk(segments: &[SpeechSegment]) -> AudioChunk {
    let mut chunk = AudioChunk { spans: Vec::new(), audio: Vec::with_capacity(chunk_length(segments) as usize) };
    for (index, segment) in segments.iter().enumerate() {
        let range = kept(segment, index == 0, index + 1 == segments.len());
        let length = range.end - range.start;
        match chunk.spans.last_mut() {
            Some(span) if span.source + span.length == range.start => span.length += length,
            _ => chunk.spans.push(Span { source: range.start, chunk: chunk.audio.len() as u64, length }),
        }
        let offset = (range.start - segment.start) as usize;
        chunk.audio.extend_from_slice(&segment.audio[offset..offset + length as usize]);
    }
    chunk
}
