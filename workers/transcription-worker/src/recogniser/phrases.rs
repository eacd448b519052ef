//! A pass's tokens to phrases.

use super::{
    SAMPLE_RATE,
    decoder::{Pass, Token, TokenKind},
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

#[cfg(test)]
mod tests {
    use super::{Pass, SAMPLE_RATE, Token, TokenKind, phrases};
    use crate::recogniser::decoder::text_of;

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
