//! Whether a pass over a chunk can be believed.
//!
//! Whisper writes text for noise, too, and now and then it loops. Its own measures tell most of
//! that: how sure it was, how often it repeats itself, and whether it heard anybody speak.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use super::{
    decoder::{Pass, Token, TokenKind},
    phrases, repetition,
    segments::text_of,
};

/// Mean log-probability below which a text is doubted; from Whisper's paper, as the next two are.
const UNSURE: f32 = -1.0;
/// Compression ratio above which a text is taken for a loop.
const LOOPING: f32 = 2.4;
/// Probability of no speech at which an unsure text is dropped unheard.
const LIKELY_SILENT: f32 = 0.6;

/// Below this mean log-probability a text is guesswork, whatever was heard.
const GUESSWORK: f32 = -1.5;
/// Probability of no speech from which an unsure text is dropped after all looks, and a text that
/// Whisper is known to invent is dropped at once.
const MAYBE_SILENT: f32 = 0.4;

/// The measures of a pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measures {
    /// Over the text's tokens. Of a loop only the first round counts, since every further one makes
    /// Whisper surer of itself.
    pub(super) avg_logprob: f32,
    pub(super) compression_ratio: f32,
    pub(super) no_speech_prob: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Speech,
    Silence,
    /// Worth another look.
    Doubtful,
}

impl Measures {
    pub(super) fn of(pass: &Pass) -> Self {
        Self {
            avg_logprob: avg_logprob(pass),
            compression_ratio: compression_ratio(&text(pass)),
            no_speech_prob: pass.no_speech_prob,
        }
    }

    pub(super) fn is_unsure(&self) -> bool {
        self.avg_logprob < UNSURE
    }

    pub(super) fn repeats(&self) -> bool {
        self.compression_ratio > LOOPING
    }
}

/// What to make of a pass when others may follow.
pub(super) fn judge(pass: &Pass, measures: &Measures) -> Verdict {
    let text = text(pass);
    let invented = measures.no_speech_prob > MAYBE_SILENT && phrases::is_often_invented(&text);
    let unheard = measures.no_speech_prob > LIKELY_SILENT && (measures.is_unsure() || text.is_empty());
    if invented || unheard {
        Verdict::Silence
    } else if text.is_empty() || measures.is_unsure() || measures.repeats() {
        Verdict::Doubtful
    } else {
        Verdict::Speech
    }
}

/// Whether the best of all passes, doubtful as it is, is kept.
pub(super) fn is_kept(pass: &Pass, measures: &Measures) -> bool {
    let unheard = measures.is_unsure() && measures.no_speech_prob > MAYBE_SILENT;
    let looping = measures.repeats() && measures.no_speech_prob > LIKELY_SILENT;
    !unheard && !looping && !is_guesswork(measures) && !text(pass).is_empty()
}

/// Later looks search for likelier texts and find some in any noise, so the first one's measures tell more.
pub(super) fn is_guesswork(measures: &Measures) -> bool {
    measures.avg_logprob < GUESSWORK
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
