//! Phrases to segments.

use engine::transcript::{Flag, Segment};

use super::{
    decode_with_fallback::Decoded, decoder::text_of, loudness::Loudness, phrases::Phrase,
    quality_gate::compression_ratio, words,
};

/// The phrases as segments: adds the metrics, and the words' times where the chunk's samples are given.
pub(super) fn finish(phrases: Vec<Phrase>, decoded: &Decoded, pcm: Option<&[f32]>, language: &str) -> Vec<Segment> {
    let words = match pcm {
        Some(pcm) => words::words(&phrases, &Loudness::of(pcm), language),
        None => vec![Vec::new(); phrases.len()],
    };
    let segments = (0..).zip(phrases.iter().zip(words));
    segments.map(|(id, (phrase, words))| Segment { id, words, ..segment(phrase, decoded) }).collect()
}

fn segment(phrase: &Phrase, decoded: &Decoded) -> Segment {
    let text = text_of(&phrase.tokens);
    let sum: f32 = phrase.tokens.iter().map(|token| token.logprob).sum();
    let mut flags = Vec::new();
    flags.extend(decoded.metrics.has_low_confidence().then_some(Flag::LowConfidence));
    flags.extend(decoded.metrics.is_repetitive().then_some(Flag::Repetition));
    Segment {
        id: 0,
        start: phrase.start,
        end: phrase.end,
        tokens: phrase.tokens.iter().map(|token| token.id).collect(),
        temperature: 0.0,
        avg_logprob: sum / phrase.tokens.len() as f32,
        compression_ratio: compression_ratio(&text),
        no_speech_prob: decoded.metrics.no_speech_prob,
        text,
        words: Vec::new(),
        flags,
    }
}
