//! Breaking a subtitle's text into lines.

use super::timed_text::Piece;

/// Columns of a line.
pub(super) const LINE: usize = 42;

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

/// The pieces on one line, or on two where one is too short; `None` where two are.
/// Of all ways, two lines break after a clause if they can and are about as long as each other.
pub(super) fn broken(pieces: &[Piece<'_>]) -> Option<Vec<String>> {
    if width(pieces) <= LINE {
        return Some(vec![joined(pieces)]);
    }
    let fitting = (1..pieces.len()).filter(|&at| width(&pieces[..at]) <= LINE && width(&pieces[at..]) <= LINE);
    let best = fitting.min_by_key(|&at| {
        let difference = width(&pieces[..at]).abs_diff(width(&pieces[at..]));
        break_cost(&pieces[at - 1]) as usize / 5 + difference
    })?;
    Some(vec![joined(&pieces[..best]), joined(&pieces[best..])])
}

fn joined(pieces: &[Piece<'_>]) -> String {
    let mut line = String::new();
    for (position, piece) in pieces.iter().enumerate() {
        if position > 0 && piece.spaced {
            line.push(' ');
        }
        line.push_str(piece.text);
    }
    line
}
