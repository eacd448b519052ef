//! How a recording was segmented: the immutable outcome of ingestion.
//!
//! A recording becomes work units of a few minutes, each one object of 16 kHz mono PCM with one
//! descriptor; a unit is a run of chunks of some 16 s, never more than 30 s. Silence between spans of speech is
//! shortened in a chunk's audio, so a chunk knows how its time maps to the recording's.

use serde::{Deserialize, Serialize};

/// Samples per second of every chunk's audio (mono, little-endian i16 in the store).
pub const SAMPLE_RATE: u32 = 16_000;

/// What ingestion learnt of a recording. Written last, so a plan that exists is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// SHA-256 of the source's bytes, hexadecimal.
    pub audio_sha256: String,
    pub format: AudioFormat,
    /// Length of the recording in seconds.
    pub duration_s: f64,
    /// Length of what was taken for speech, in seconds.
    pub speech_s: f64,
    pub units: u32,
    pub chunks: u32,
}

/// The source's audio track as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioFormat {
    /// The codec's short name, such as `flac`.
    pub codec: String,
    /// In hertz.
    pub sample_rate: u32,
    pub channels: u32,
}

/// A run of chunks that one activity recognises; their PCM lies one after the other in one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkUnit {
    pub index: u32,
    pub chunks: Vec<Chunk>,
}

/// At most 30 s of audio, recognised in one go. All lengths are in samples at [`SAMPLE_RATE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Position among all chunks of the recording.
    pub index: u32,
    /// Where the chunk's audio begins in its unit's PCM.
    pub offset: u64,
    pub length: u64,
    /// Spans of the recording in the chunk, in order, neither overlapping nor empty.
    pub spans: Vec<Span>,
}

/// A stretch that a chunk took over from the recording unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where it begins in the recording.
    pub source: u64,
    /// Where it begins in the chunk.
    pub chunk: u64,
    pub length: u64,
}

impl Chunk {
    /// Seconds in the chunk's audio to seconds in the recording. A time in a shortened silence
    /// maps to the nearer edge of the spans around it.
    pub fn source_time(&self, chunk_time: f64) -> f64 {
        let at = (chunk_time.max(0.0) * f64::from(SAMPLE_RATE)).round() as u64;
        let mut nearest = (u64::MAX, 0);
        for span in &self.spans {
            let inside = at.clamp(span.chunk, span.chunk + span.length);
            let distance = at.abs_diff(inside);
            if distance < nearest.0 {
                nearest = (distance, span.source + inside - span.chunk);
            }
        }
        nearest.1 as f64 / f64::from(SAMPLE_RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunk, Span};

    #[test]
    fn chunk_time_maps_to_the_recording() {
        let second = 16_000;
        let chunk = Chunk {
            index: 0,
            offset: 0,
            length: 5 * second,
            spans: vec![
                Span { source: 10 * second, chunk: 0, length: 2 * second },
                Span { source: 60 * second, chunk: 2 * second + 8_000, length: 2 * second },
            ],
        };
        for (chunk_time, source_time) in
            [(0.0, 10.0), (1.5, 11.5), (2.0, 12.0), (2.1, 12.0), (2.4, 60.0), (2.5, 60.0), (4.0, 61.5), (9.0, 62.0)]
        {
            assert_eq!(chunk.source_time(chunk_time), source_time, "at {chunk_time}");
        }
    }
}
