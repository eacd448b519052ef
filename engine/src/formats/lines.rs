//! Breaking a subtitle's text into lines.

use super::timed_text::Piece;

/// How much nicer a subtitle is that breaks after the text: nothing is lost after a sentence,
/// something in the middle of a clause.
pub(super) fn break_cost(piece: &Piece<'_>) -> u32 {
    match piece.text.trim_end_matches(['"', '\'', '”', '’', ')', '»', '」']).chars().next_back() {
        Some('.' | '!' | '?' | '…' | '。' | '！' | '？') => 0,
        Some(',' | ';' | ':' | '–' | '—' | '،' | '、' | '，' | '；' | '：') => 15,
        _ => 60,
    }
}

/// Columns of the pieces on one line.
pub(super) fn width(pieces: &[Piece<'_>]) -> usize {
    let spaces = pieces.iter().skip(1).filter(|piece| piece.spaced).count();
    pieces.iter().map(|piece| piece.width).sum::<usize>() + spaces
}

/// The fewest lines of so many columns that hold the pieces.
pub(super) fn lines_needed(pieces: &[Piece<'_>], line_length: usize) -> usize {
    let (mut lines, mut columns) = (0, None);
    for piece in pieces {
        let on_line = columns.map(|columns: usize| columns + usize::from(piece.spaced) + piece.width);
        columns = on_line.filter(|columns| *columns <= line_length).or_else(|| {
            lines += 1;
            Some(piece.width)
        });
    }
    lines
}

/// The pieces on as few lines as hold them. Of all ways, lines end after a clause if they can, and are about as long as
/// each other.
pub(super) fn broken<'a, 'p>(pieces: &'p [Piece<'a>], line_length: usize) -> Vec<&'p [Piece<'a>]> {
    let mut rest = pieces;
    let mut lines = Vec::new();
    for left in (2..=lines_needed(pieces, line_length)).rev() {
        let (line, others) = rest.split_at(first_break(rest, left, line_length));
        lines.push(line);
        rest = others;
    }
    lines.push(rest);
    lines
}

/// How many pieces the first of so many lines takes.
fn first_break(pieces: &[Piece<'_>], lines: usize, line_length: usize) -> usize {
    let fitting = (1..pieces.len())
        .filter(|&at| width(&pieces[..at]) <= line_length && lines_needed(&pieces[at..], line_length) < lines);
    let best = fitting.min_by_key(|&at| {
        let difference = width(&pieces[..at]).abs_diff(width(&pieces[at..]) / (lines - 1));
        break_cost(&pieces[at - 1]) as usize / 5 + difference
    });
    best.unwrap_or(1)
}
