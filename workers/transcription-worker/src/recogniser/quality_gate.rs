//! Whether a pass over a chunk is good enough to keep.
//!
//! Whisper hallucinates text for noise, and now and then it loops. Its own metrics show most of that: its confidence,
//! how repetitive the text is, and whether it heard anybody speak.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use super::{
    decoder::{Pass, Token, TokenKind, text_of},
    hallucinations, repetition,
};

/// Mean log-probability below which a text is doubtful; from Whisper's paper, as the next two are.
const LOGPROB_THRESHOLD: f32 = -1.0;
/// Compression ratio above which a text is taken for a loop.
const COMPRESSION_RATIO_THRESHOLD: f32 = 2.4;
/// Probability of no speech above which a text of low confidence is dropped at once.
const NO_SPEECH_THRESHOLD: f32 = 0.6;

/// Mean log-probability below which a text is guesswork, whatever was heard.
const LOGPROB_FLOOR: f32 = -1.5;
/// Probability of no speech above which a text of low confidence is dropped after all attempts, and a common
/// hallucination is dropped at once.
const LOW_NO_SPEECH_THRESHOLD: f32 = 0.4;

/// Whisper's measures of a pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Metrics {
    /// Over the text's tokens. Of a loop only the first round counts, since Whisper's confidence grows with every
    /// round.
    pub(super) avg_logprob: f32,
    pub(super) compression_ratio: f32,
    pub(super) no_speech_prob: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    Good,
    NoSpeech,
    /// Worth another attempt.
    Doubtful,
}

impl Metrics {
    pub(super) fn of(pass: &Pass) -> Self {
        Self {
            avg_logprob: avg_logprob(pass),
            compression_ratio: compression_ratio(&text(pass)),
            no_speech_prob: pass.no_speech_prob,
        }
    }

    pub(super) fn has_low_confidence(&self) -> bool {
        self.avg_logprob < LOGPROB_THRESHOLD
    }

    pub(super) fn is_repetitive(&self) -> bool {
        self.compression_ratio > COMPRESSION_RATIO_THRESHOLD
    }
}

/// How good a pass is, when others may follow.
pub(super) fn assess(pass: &Pass, metrics: &Metrics) -> Quality {
    let text = text(pass);
    let hallucinated =
        metrics.no_speech_prob > LOW_NO_SPEECH_THRESHOLD && hallucinations::is_common_hallucination(&text);
    let no_speech = metrics.no_speech_prob > NO_SPEECH_THRESHOLD && (metrics.has_low_confidence() || text.is_empty());
    if hallucinated || no_speech {
        Quality::NoSpeech
    } else if text.is_empty() || metrics.has_low_confidence() || metrics.is_repetitive() {
        Quality::Doubtful
    } else {
        Quality::Good
    }
}

/// Whether the best of all passes, doubtful as it is, can be kept.
pub(super) fn is_acceptable(pass: &Pass, metrics: &Metrics) -> bool {
    let no_speech = metrics.has_low_confidence() && metrics.no_speech_prob > LOW_NO_SPEECH_THRESHOLD;
    let looping = metrics.is_repetitive() && metrics.no_speech_prob > NO_SPEECH_THRESHOLD;
    !no_speech && !looping && !is_guesswork(metrics) && !text(pass).is_empty()
}

/// Ask this of the first attempt: later ones search for likelier texts, and find some in any noise.
pub(super) fn is_guesswork(metrics: &Metrics) -> bool {
    metrics.avg_logprob < LOGPROB_FLOOR
}

fn avg_logprob(pass: &Pass) -> f32 {
    let text: Vec<&Token> = pass.tokens.iter().filter(|token| matches!(token.kind, TokenKind::Text { .. })).collect();
    let ids: Vec<u32> = text.iter().map(|token| token.id).collect();
    let once: Vec<f32> =
        text.iter().zip(repetition::kept(&ids)).filter_map(|(token, kept)| kept.then_some(token.logprob)).collect();
    once.iter().sum::<f32>() / once.len().max(1) as f32
}

/// Bytes over compressed bytes.
pub(super) fn compression_ratio(text: &str) -> f32 {
    let mut compressed = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = compressed.write_all(text.as_bytes()).and_then(|()| compressed.finish());
    // Writing to memory does not fail; a text of its own length passes the test.
    written.map_or(1.0, |compressed| text.len() as f32 / compressed.len() as f32)
}

fn text(pass: &Pass) -> String {
    text_of(&pass.tokens).trim().to_owned()
}
