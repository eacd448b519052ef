//! A pass's tokens to segments.

use engine::transcript::{Flag, Segment};

use super::{
    SAMPLE_RATE,
    decode_with_fallback::Decoded,
    decoder::{Pass, Token, TokenKind},
    loudness::Loudness,
    quality_gate::compression_ratio,
    words,
};

/// The text between two times that Whisper wrote.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phrase {
    pub(super) start: f64,
    pub(super) end: f64,
    /// Text only.
    pub(super) tokens: Vec<Token>,
}

/// Splits a pass at its time tokens. All times are in order, and within so many samples.
pub(super) fn phrases(pass: &Pass, samples: usize) -> Vec<Phrase> {
    let length = samples as f64 / SAMPLE_RATE as f64;
    let mut phrases = Vec::new();
    let mut open = Phrase { start: 0.0, end: length, tokens: Vec::new() };
    for token in &pass.tokens {
        match token.kind {
            TokenKind::Text { .. } => open.tokens.push(token.clone()),
            TokenKind::Time(time) => {
                let time = time.clamp(open.start, length);
                let next = Phrase { start: time, end: length, tokens: Vec::new() };
                let closed = std::mem::replace(&mut open, next);
                phrases.push(Phrase { end: time, ..closed });
            }
            TokenKind::Control => {}
        }
    }
    phrases.push(open);
    phrases.retain(|phrase| !phrase.tokens.is_empty());
    phrases
}

/// Adds the metrics, and the words' times where the chunk's samples are given.
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

/// Broken characters, where a text ends in the middle of one, show as such.
pub(super) fn text_of(tokens: &[Token]) -> String {
    let mut bytes = Vec::new();
    for token in tokens {
        if let TokenKind::Text { bytes: piece, .. } = &token.kind {
            bytes.extend_from_slice(piece);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Pass, SAMPLE_RATE, Token, TokenKind, phrases, text_of};

    #[test]
    fn times_split_the_text_and_stay_in_order() {
        let time = TokenKind::Time;
        let say = |text: &str| TokenKind::Text { bytes: text.into(), end: None };
        for (kinds, expected) in [
            (vec![], vec![]),
            (vec![say(" a"), say(" b")], vec![(0.0, 10.0, " a b")]),
            (
                vec![time(0.0), say(" a"), time(2.5), time(3.0), say(" b"), TokenKind::Control],
                vec![(0.0, 2.5, " a"), (3.0, 10.0, " b")],
            ),
            (vec![time(0.0), say(" a"), time(12.0)], vec![(0.0, 10.0, " a")]),
            (vec![time(4.0), say(" a"), time(3.0), say(" b")], vec![(4.0, 4.0, " a"), (4.0, 10.0, " b")]),
        ] {
            let tokens = kinds.into_iter().map(|kind| Token { id: 0, kind, logprob: 0.0 }).collect();
            let found = phrases(&Pass { tokens, no_speech_prob: 0.0 }, 10 * SAMPLE_RATE);
            let found: Vec<_> =
                found.iter().map(|phrase| (phrase.start, phrase.end, text_of(&phrase.tokens))).collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(start, end, text): (f64, f64, &str)| (start, end, text.to_owned()))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
