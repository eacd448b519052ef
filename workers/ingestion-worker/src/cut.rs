//! Phrases to chunks of at most 16 s; a phrase that is longer is a chunk by itself.
//!
//! A chunk is filled with phrases as long as they fit. It then ends at the longest pause in its
//! last seconds, since a cut in a long pause hurts the recogniser least. Silence inside a chunk is
//! shortened, and the chunk's spans tell where its audio lies in the recording.
//!
//! Half of Whisper's window is what costs least: what its encoder and every token's look at the sound
//! cost grows with the chunk, and the words that are heard are no worse.

use engine::plan::Span;

use crate::phrases::{PADDING, Phrase, milliseconds};

/// A chunk takes no phrase that would make it longer, in samples.
const FULL: u64 = milliseconds(16_000);
/// A chunk ends at its longest pause from here on.
const FULL_ENOUGH: u64 = milliseconds(12_000);

/// A chunk's audio and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CutChunk {
    pub(crate) spans: Vec<Span>,
    pub(crate) audio: Vec<i16>,
}

/// Phrases that wait for their chunk to fill.
#[derive(Default)]
pub(crate) struct Cutter {
    phrases: Vec<Phrase>,
}

impl Cutter {
    /// Takes the next phrase in; gives the chunk that it completed by not fitting in.
    pub(crate) fn push(&mut self, phrase: Phrase) -> Option<CutChunk> {
        self.phrases.push(phrase);
        if self.phrases.len() == 1 || chunk_length(&self.phrases) <= FULL {
            return None;
        }
        let count = self.best_end();
        let rest = self.phrases.split_off(count);
        Some(chunk(&std::mem::replace(&mut self.phrases, rest)))
    }

    /// Gives the last chunk.
    pub(crate) fn finish(self) -> Option<CutChunk> {
        (!self.phrases.is_empty()).then(|| chunk(&self.phrases))
    }

    /// How many phrases the chunk takes: up to the longest pause near its end, provided that
    /// what remains fits one chunk.
    fn best_end(&self) -> usize {
        let last = self.phrases.len() - 1;
        (1..=last)
            .filter(|end| {
                let (taken, rest) = self.phrases.split_at(*end);
                chunk_length(taken) >= FULL_ENOUGH && chunk_length(rest) <= FULL
            })
            .max_by_key(|end| self.phrases[*end].speech.start - self.phrases[end - 1].speech.end)
            .unwrap_or(last)
    }
}

/// The part of a phrase's audio that a chunk takes when the phrase is its first or last one.
fn kept(phrase: &Phrase, first: bool, last: bool) -> std::ops::Range<u64> {
    let start = if first { phrase.start.max(phrase.speech.start.saturating_sub(PADDING)) } else { phrase.start };
    let end = if last { phrase.end().min(phrase.speech.end + PADDING) } else { phrase.end() };
    start..end
}

fn chunk_length(phrases: &[Phrase]) -> u64 {
    let last = phrases.len().saturating_sub(1);
    phrases
        .iter()
        .enumerate()
        .map(|(index, phrase)| kept(phrase, index == 0, index == last))
        .map(|range| range.end - range.start)
        .sum()
}

fn chunk(phrases: &[Phrase]) -> CutChunk {
    let mut chunk = CutChunk { spans: Vec::new(), audio: Vec::with_capacity(chunk_length(phrases) as usize) };
    for (index, phrase) in phrases.iter().enumerate() {
        let range = kept(phrase, index == 0, index + 1 == phrases.len());
        let length = range.end - range.start;
        match chunk.spans.last_mut() {
            Some(span) if span.source + span.length == range.start => span.length += length,
            _ => chunk.spans.push(Span { source: range.start, chunk: chunk.audio.len() as u64, length }),
        }
        let offset = (range.start - phrase.start) as usize;
        chunk.audio.extend_from_slice(&phrase.audio[offset..offset + length as usize]);
    }
    chunk
}
