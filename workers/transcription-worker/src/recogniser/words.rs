//! Tokens to words with times.
//!
//! The aligner tells when each token ends, to about a tenth of a second; where the sound itself
//! falls silent between two words, that is the better edge.

use engine::transcript::Word;

use super::{
    loudness::Loudness,
    segments::Phrase,
    whisper::{Token, TokenKind},
};

/// Languages that Whisper writes without spaces: every character is a word of its own.
const UNSPACED: [&str; 7] = ["zh", "ja", "th", "lo", "my", "yue", "bo"];

/// The words of a phrase. `said_until` is the end of the word before it, in seconds.
pub(super) fn words(phrase: &Phrase, said_until: f64, loudness: &Loudness, language: &str) -> Vec<Word> {
    let mut from = said_until;
    let pieces = pieces(&phrase.tokens, UNSPACED.contains(&language));
    pieces
        .into_iter()
        .map(|piece| {
            let until = piece.end.unwrap_or(phrase.end).max(from);
            let (start, end) = loudness.narrow(from, until);
            from = until;
            Word { word: piece.text.trim().to_owned(), start, end, probability: piece.probability() }
        })
        .collect()
}

/// A word as it is put together.
#[derive(Debug, Default)]
struct Piece {
    text: String,
    end: Option<f64>,
    logprob: f32,
    tokens: usize,
}

impl Piece {
    /// The geometric mean over its tokens.
    fn probability(&self) -> f32 {
        (self.logprob / self.tokens.max(1) as f32).exp()
    }
}

/// Joins tokens to whole characters, and these to words with their punctuation.
fn pieces(tokens: &[Token], unspaced: bool) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut bytes = Vec::new();
    let mut open = Piece::default();
    for token in tokens {
        let TokenKind::Text { bytes: piece, end } = &token.kind else { continue };
        bytes.extend_from_slice(piece);
        open = Piece { end: *end, logprob: open.logprob + token.logprob, tokens: open.tokens + 1, ..open };
        let Ok(text) = str::from_utf8(&bytes) else { continue };
        let begins_word = text.starts_with(' ') || (unspaced && text.chars().any(char::is_alphanumeric));
        let whole = Piece { text: text.to_owned(), ..std::mem::take(&mut open) };
        bytes.clear();
        match pieces.last_mut() {
            Some(last) if !begins_word => {
                last.text.push_str(&whole.text);
                last.end = whole.end.or(last.end);
                last.logprob += whole.logprob;
                last.tokens += whole.tokens;
            }
            _ => pieces.push(whole),
        }
    }
    pieces.retain(|piece| !piece.text.trim().is_empty());
    pieces
}
