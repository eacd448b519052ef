//! Chunks to work units, the objects that transcription reads.
//!
//! It knows nothing of the store: it fills units and hands them out.

use engine::plan::{Chunk, SAMPLE_RATE, WorkUnit};

use crate::chunker::AudioChunk;

/// Seconds that the first unit holds at most: it is in the store the sooner, and recognised while the next one fills.
const FIRST_UNIT_S: u64 = 60;

/// A work unit and its PCM, 16 kHz mono little-endian i16.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FilledUnit {
    pub(crate) unit: WorkUnit,
    pub(crate) pcm: Vec<u8>,
    pub(crate) is_last: bool,
}

pub(crate) struct UnitFiller {
    /// Samples that a unit after the first holds at most, unless one chunk alone is longer.
    capacity: u64,
    unit: WorkUnit,
    pcm: Vec<u8>,
    chunks: u32,
}

impl UnitFiller {
    pub(crate) fn new(unit_seconds: u32) -> Self {
        Self {
            capacity: u64::from(unit_seconds) * u64::from(SAMPLE_RATE),
            unit: WorkUnit { index: 0, chunks: Vec::new() },
            pcm: Vec::new(),
            chunks: 0,
        }
    }

    /// Takes the next chunk in; gives the unit that had no room for it.
    pub(crate) fn push(&mut self, chunk: AudioChunk) -> Option<FilledUnit> {
        let length = chunk.audio.len() as u64;
        let full = !self.unit.chunks.is_empty() && self.samples() + length > self.capacity();
        let filled = full.then(|| self.take(false));
        self.unit.chunks.push(Chunk { index: self.chunks, offset: self.samples(), length, spans: chunk.spans });
        self.chunks += 1;
        self.pcm.extend(chunk.audio.iter().flat_map(|sample| sample.to_le_bytes()));
        filled
    }

    /// Gives the last unit, which may be short, and the number of all units and chunks.
    pub(crate) fn finish(mut self) -> (Option<FilledUnit>, u32, u32) {
        let last = (!self.unit.chunks.is_empty()).then(|| self.take(true));
        (last, self.unit.index, self.chunks)
    }

    fn capacity(&self) -> u64 {
        let first = FIRST_UNIT_S * u64::from(SAMPLE_RATE);
        if self.unit.index == 0 { self.capacity.min(first) } else { self.capacity }
    }

    fn samples(&self) -> u64 {
        self.pcm.len() as u64 / 2
    }

    fn take(&mut self, is_last: bool) -> FilledUnit {
        let next = WorkUnit { index: self.unit.index + 1, chunks: Vec::new() };
        FilledUnit { unit: std::mem::replace(&mut self.unit, next), pcm: std::mem::take(&mut self.pcm), is_last }
    }
}
