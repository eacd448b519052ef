//! A segment's text as pieces with times: what subtitles are cut between.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::transcript::Segment;

/// A stretch of text that no subtitle is cut inside: a word with its punctuation, or a character
/// of a script without spaces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Whether a space stands before it, where it does not begin a line.
    pub(super) spaced: bool,
    pub(super) start: f64,
    pub(super) end: f64,
    /// Columns that it takes in a fixed-width font.
    pub(super) width: usize,
}

/// The pieces of a segment, none wider than `widest`. The times are those of its words where it has
/// them, and otherwise shared out over the segment by length.
pub(super) fn pieces(segment: &Segment, widest: usize) -> Vec<Piece<'_>> {
    let whole = match aligned_words(segment) {
        Some(words) => words,
        None => share_out(segment.start, segment.end, segment.text.split_whitespace().map(|word| (word, true))),
    };
    whole.into_iter().flat_map(|piece| split_wide(piece, widest)).collect()
}

/// The segment's words, with the text as the segment has it. `None` where they do not make up its text.
fn aligned_words(segment: &Segment) -> Option<Vec<Piece<'_>>> {
    let mut rest = segment.text.as_str();
    let mut pieces = Vec::with_capacity(segment.words.len());
    for word in &segment.words {
        let text = word.word.trim();
        let after_space = rest.trim_start();
        let spaced = after_space.len() < rest.len();
        rest = after_space.strip_prefix(text)?;
        pieces.push(piece(text, spaced, word.start, word.end));
    }
    (!pieces.is_empty() && rest.trim().is_empty()).then_some(pieces)
}

/// Gives each text a share of the time that grows with its width.
fn share_out<'a>(start: f64, end: f64, texts: impl Iterator<Item = (&'a str, bool)>) -> Vec<Piece<'a>> {
    let texts: Vec<_> = texts.collect();
    // The space beside a word takes its time, too.
    let weight = |text: &str| (text.width() + 1) as f64;
    let total: f64 = texts.iter().map(|(text, _)| weight(text)).sum();
    let mut before = 0.0;
    let placed = texts.into_iter().map(|(text, spaced)| {
        let from = start + (end - start) * before / total;
        before += weight(text);
        piece(text, spaced, from, start + (end - start) * before / total)
    });
    placed.collect()
}

fn piece(text: &str, spaced: bool, start: f64, end: f64) -> Piece<'_> {
    Piece { text, spaced, start, end, width: text.width() }
}

/// Takes a piece apart that no line can hold, or that is a run of a script without spaces.
fn split_wide(whole: Piece<'_>, widest: usize) -> Vec<Piece<'_>> {
    let mut parts: Vec<&str> = Vec::new();
    let (mut begin, mut columns, mut previous) = (0, 0, None);
    for (at, letter) in whole.text.char_indices() {
        let width = letter.width().unwrap_or_default();
        let full = columns + width > widest;
        if previous.is_some_and(|previous| full || may_break(previous, letter)) {
            parts.push(&whole.text[begin..at]);
            (begin, columns) = (at, 0);
        }
        columns += width;
        previous = Some(letter);
    }
    if parts.is_empty() {
        return vec![whole];
    }
    parts.push(&whole.text[begin..]);
    let spaced = std::iter::once(whole.spaced).chain(std::iter::repeat(false));
    share_out(whole.start, whole.end, parts.into_iter().zip(spaced))
}

/// Whether a line may end between two letters without a space: beside ideographs and kana, but not
/// before the punctuation and small kana that lean on what precedes them, nor after an opening bracket.
fn may_break(before: char, after: char) -> bool {
    const OPENING: &str = "「『（《〈【";
    const LEANING: &str = "ーぁぃぅぇぉっゃゅょァィゥェォッャュョ";
    let hangul = ('가'..='힣').contains(&after);
    let begins = after.width() == Some(2) && after.is_alphanumeric() && !hangul && !LEANING.contains(after);
    (begins || OPENING.contains(after)) && !OPENING.contains(before)
}
