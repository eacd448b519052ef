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
    let pieces = pieces(&phrase.tokens, UNSPACED.contains(&language));
    let spans = spans(&pieces, said_until, phrase.end);
    let words = pieces.into_iter().zip(spans).map(|(piece, (from, until))| {
        let (start, end) = loudness.narrow(from, until);
        Word { word: piece.text.trim().to_owned(), start, end, probability: piece.probability() }
    });
    words.collect()
}

/// Where each word lies, one after the other. Words that the aligner found no time between share
/// theirs by their length.
fn spans(pieces: &[Piece], said_until: f64, phrase_end: f64) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    let mut from = said_until;
    let mut rest = pieces;
    while !rest.is_empty() {
        let ends = rest.iter().map(|piece| piece.end.unwrap_or(phrase_end).max(from));
        let first_end = ends.clone().find(|end| *end >= from + SHORTEST).unwrap_or_else(|| phrase_end.max(from));
        let count = ends.take_while(|end| *end < first_end + SHORTEST).count().clamp(1, rest.len());
        let (sharing, others) = rest.split_at(count);
        spans.extend(shares(sharing, from, first_end));
        (from, rest) = (first_end, others);
    }
    spans
}

fn shares(pieces: &[Piece], start: f64, end: f64) -> impl Iterator<Item = (f64, f64)> {
    let total: usize = pieces.iter().map(|piece| piece.text.len()).sum();
    let at = move |letters: usize| start + (end - start) * letters as f64 / total.max(1) as f64;
    pieces.iter().scan(0, move |before, piece| {
        let from = *before;
        *before += piece.text.len();
        Some((at(from), at(*before)))
    })
}

/// Seconds that no spoken word falls short of.
const SHORTEST: f64 = 0.05;

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
