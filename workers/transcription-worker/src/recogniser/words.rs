//! Tokens to words with times.
//!
//! The aligner tells when each token ends, to about a tenth of a second; where the sound itself
//! falls silent between two words, that is the better edge.

use engine::transcript::Word;

use super::{
    decoder::{Token, TokenKind},
    loudness::Loudness,
    phrases::Phrase,
};

/// Languages that Whisper writes without spaces: every character is a word of its own.
const UNSPACED: [&str; 7] = ["zh", "ja", "th", "lo", "my", "yue", "bo"];

/// The words of each phrase of a chunk.
pub(super) fn words(phrases: &[Phrase], loudness: &Loudness, language: &str) -> Vec<Vec<Word>> {
    let unspaced = UNSPACED.contains(&language);
    let pieces: Vec<Vec<Piece>> = phrases.iter().map(|phrase| pieces(&phrase.tokens, unspaced)).collect();
    let mut said: Vec<WordSpan> = Vec::new();
    for (phrase, pieces) in phrases.iter().zip(&pieces) {
        let said_until = said.last().map_or(0.0, |last| last.until);
        let spans = spans(pieces, said_until, phrase.end);
        said.extend(pieces.iter().zip(spans).map(|(piece, (from, until))| WordSpan {
            from,
            until,
            pauses: piece.pauses(),
        }));
    }
    snap_to_pauses(&mut said, &loudness.pauses());
    let mut said = said.into_iter();
    let phrases = pieces.into_iter().map(|pieces| {
        let words = pieces.into_iter().zip(said.by_ref()).map(|(piece, said)| {
            let (start, end) = loudness.narrow(said.from, said.until);
            Word { word: piece.text.trim().to_owned(), start, end, probability: piece.probability() }
        });
        words.collect()
    });
    phrases.collect()
}

/// When a word is said, in seconds, and whether its punctuation asks for a pause after it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct WordSpan {
    from: f64,
    until: f64,
    pauses: bool,
}

/// Moves the edge between two words into a pause nearby. Of the edges near a pause only one is in it: the nearest,
/// where a punctuation mark is worth some of the way.
fn snap_to_pauses(said: &mut [WordSpan], pauses: &[(f64, f64)]) {
    /// Seconds by which the aligner misses a pause.
    const MISSED_BY: f64 = 0.35;
    const MARK_IS_WORTH: f64 = 0.3;
    for (from, until) in pauses {
        let distance = |edge: f64| (from - edge).max(edge - until).max(0.0);
        let edges = (1..said.len()).filter(|next| distance(said[*next].from) <= MISSED_BY);
        let cost = |next: &usize| distance(said[*next].from) - if said[next - 1].pauses { MARK_IS_WORTH } else { 0.0 };
        let Some(next) = edges.min_by(|left, right| cost(left).total_cmp(&cost(right))) else { continue };
        let moved = *until + said[next].until - said[next].from;
        let leaves_room = said.get(next + 1).is_some_and(|after| moved < after.until);
        if said[next - 1].from < *from && *until < said[next].until {
            said[next - 1].until = *from;
            said[next].from = *until;
        } else if said[next - 1].from < *from && said[next - 1].pauses && leaves_room {
            // The aligner had the whole word before the pause.
            said[next - 1].until = *from;
            said[next] = WordSpan { from: *until, until: moved, ..said[next] };
            said[next + 1].from = moved;
        }
    }
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
    fn pauses(&self) -> bool {
        self.text.ends_with([',', '.', ';', ':', '!', '?'])
    }

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

#[cfg(test)]
mod tests {
    use super::{WordSpan, snap_to_pauses};

    #[test]
    fn edges_snap_to_pauses() {
        let pauses = [(2.0, 3.0), (6.0, 6.5)];
        for (edges, marked, expected) in [
            (vec![1.0, 1.75, 4.0], None, vec![(1.0, 2.0), (3.0, 4.0)]),
            (vec![1.0, 3.25, 4.0], None, vec![(1.0, 2.0), (3.0, 4.0)]),
            (vec![1.0, 2.5, 4.0], None, vec![(1.0, 2.0), (3.0, 4.0)]),
            // A short word before a pause keeps its beginning, and so does one that ends with a mark.
            (vec![1.0, 1.75, 2.25, 4.0], None, vec![(1.0, 1.75), (1.75, 2.0), (3.0, 4.0)]),
            (vec![1.0, 1.75, 3.3, 4.0], Some(1), vec![(1.0, 1.75), (1.75, 2.0), (3.0, 4.0)]),
            // Too far away, or the word would have no time left.
            (vec![1.0, 1.5, 4.0], None, vec![(1.0, 1.5), (1.5, 4.0)]),
            (vec![2.25, 2.5, 2.75], None, vec![(2.25, 2.5), (2.5, 2.75)]),
            // A word after a mark goes over the pause as a whole, where the next one leaves it room.
            (vec![1.0, 1.8, 2.25, 4.0], Some(0), vec![(1.0, 2.0), (3.0, 3.45), (3.45, 4.0)]),
            (vec![1.0, 1.8, 2.25, 3.25], Some(0), vec![(1.0, 1.8), (1.8, 2.25), (2.25, 3.25)]),
        ] {
            let words = edges.windows(2).enumerate();
            let mut said: Vec<_> =
                words.map(|(n, edge)| WordSpan { from: edge[0], until: edge[1], pauses: marked == Some(n) }).collect();
            snap_to_pauses(&mut said, &pauses);
            let snapped: Vec<_> = said.iter().map(|said| (said.from, said.until)).collect();
            assert_eq!(snapped, expected, "{edges:?}");
        }
    }
}
