//! Recognised speech: what a chunk gave, and the transcript made of all chunks.
//!
//! Every time in here is in seconds of the original recording.

use serde::{Deserialize, Serialize};

/// The text of a recording, as the `assemble` activity leaves it in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    pub text: String,
    /// Code of the spoken language, such as `en`. Empty when nothing was said.
    pub language: String,
    pub duration_s: f64,
    /// The workflow run that made it.
    #[serde(default)]
    pub run_id: String,
    pub segments: Vec<Segment>,
}

/// A phrase, with the measures that tell how sure the recogniser was.
/// The fields and their meaning are those of OpenAI's `verbose_json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    pub id: u32,
    pub start: f64,
    pub end: f64,
    pub text: String,
    /// The recogniser's token ids, special ones left out.
    pub tokens: Vec<u32>,
    pub temperature: f32,
    /// Mean natural logarithm of the tokens' probabilities.
    pub avg_logprob: f32,
    /// Bytes of text over bytes of its zlib compression; above 2.4 means repetition.
    pub compression_ratio: f32,
    /// Probability, 0 to 1, that the chunk holds no speech.
    pub no_speech_prob: f32,
    /// Empty unless word times were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
    /// Why the text deserves a second look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    pub word: String,
    pub start: f64,
    pub end: f64,
    /// 0 to 1.
    pub probability: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The average log-probability stayed low after every fallback.
    LowConfidence,
    /// The text repeated itself and was collapsed.
    Repetition,
}

/// One chunk's checkpoint in the store: written once, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChunkTranscript {
    /// The chunk's index in the plan.
    pub chunk: u32,
    /// The workflow run that computed it.
    pub run_id: String,
    pub language: String,
    pub segments: Vec<Segment>,
    /// How often the chunk was decoded again because the first attempt failed the tests.
    pub fallbacks: u32,
    /// Wall time of the recogniser in seconds.
    pub seconds: f64,
}
