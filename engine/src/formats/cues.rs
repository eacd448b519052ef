//! Subtitles without their syntax: who says how much when, in lines that a viewer can read.

use super::{
    lines::{break_cost, broken, lines_needed, width},
    subtitle_options::SubtitleOptions,
    timed_text::{Piece, TimedText},
};
use crate::transcript::Segment;

/// Seconds that a subtitle stays even if the next one has to wait.
const GLIMPSE: f64 = 0.2;
/// A pause of so many seconds ends a subtitle, so that it is gone when nobody speaks.
const PAUSE: f64 = 1.5;
/// What one subtitle more costs, against the costs of a break.
const ONE_MORE: u32 = 100;

/// One subtitle: its lines, from `start` until just before `end`, in milliseconds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whose words they are, where channels are recognised apart.
    pub(super) channel: Option<u32>,
    pub(super) lines: Vec<String>,
    /// When its words begin, in order. Empty unless words are to be marked, and known.
    pub(super) words: Vec<CueWord>,
}

/// A word of a subtitle. There are many of them: that of a day has to be small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CueWord {
    pub(super) line: u32,
    /// Where in the line it begins, in bytes.
    pub(super) at: u32,
    /// Milliseconds.
    pub(super) start: u64,
}

/// All subtitles of a recording in order; none is empty, none overlaps the next.
pub(super) fn in_order(mut cues: Vec<Cue>, options: &SubtitleOptions) -> Vec<Cue> {
    cues.sort_by_key(|cue| cue.start);
    separate(&mut cues, options);
    cues
}

/// The subtitles of a segment, as if there were no others.
pub(super) fn of_segment(segment: &Segment, options: &SubtitleOptions) -> Vec<Cue> {
    let text = TimedText::of(segment, options.line_length);
    let marks_words = options.highlight_words && text.has_word_times;
    let mut rest = text.pieces.as_slice();
    let mut cues = Vec::new();
    for length in cue_lengths(&text.pieces, options) {
        let (taken, left) = rest.split_at(length);
        rest = left;
        cues.push(Cue { channel: segment.channel, ..cue(taken, options.line_length, marks_words) });
    }
    cues
}

fn cue(pieces: &[Piece<'_>], line_length: usize, marks_words: bool) -> Cue {
    let mut cue =
        Cue { start: milliseconds(pieces[0].start), end: milliseconds(pieces[pieces.len() - 1].end), ..Cue::default() };
    for (number, pieces) in (0..).zip(broken(pieces, line_length)) {
        let mut line = String::new();
        for (position, piece) in pieces.iter().enumerate() {
            if position > 0 && piece.spaced {
                line.push(' ');
            }
            if marks_words {
                let at = u32::try_from(line.len()).unwrap_or(u32::MAX);
                cue.words.push(CueWord { line: number, at, start: milliseconds(piece.start) });
            }
            line.push_str(piece.text);
        }
        cue.lines.push(line);
    }
    cue
}

/// How many pieces each subtitle takes, by the cheapest of all ways to split them.
fn cue_lengths(pieces: &[Piece<'_>], options: &SubtitleOptions) -> Vec<usize> {
    // `best[n]` is the cost of the first n pieces and the length of the last subtitle among them.
    let mut best: Vec<(u32, usize)> = vec![(0, 0)];
    for end in 1..=pieces.len() {
        let lengths = (1..=end).take_while(|&length| fits(&pieces[end - length..end], options));
        let ways = lengths.map(|length| {
            let taken = &pieces[end - length..end];
            (best[end - length].0 + cost(taken, end == pieces.len(), options), length)
        });
        best.extend(ways.min());
    }
    let mut lengths = Vec::new();
    let mut end = pieces.len();
    while end > 0 {
        lengths.push(best[end].1);
        end -= best[end].1;
    }
    lengths.reverse();
    lengths
}

/// Whether the pieces can be one subtitle. A single piece always can.
fn fits(pieces: &[Piece<'_>], options: &SubtitleOptions) -> bool {
    let seconds = pieces[pieces.len() - 1].end - pieces[0].start;
    let paused = || pieces.windows(2).any(|pair| pair[1].start - pair[0].end > PAUSE);
    let is_short = || lines_needed(pieces, options.line_length) <= options.lines;
    pieces.len() == 1 || (seconds <= options.longest && !paused() && is_short())
}

/// Subtitles should be few, filled alike, and end where a sentence or a clause does.
fn cost(pieces: &[Piece<'_>], last: bool, options: &SubtitleOptions) -> u32 {
    let room = options.lines * options.line_length;
    let unfilled = room.saturating_sub(width(pieces));
    let uneven = (unfilled * unfilled / (2 * room)) as u32;
    let ending = if last { 0 } else { break_cost(&pieces[pieces.len() - 1]) };
    ONE_MORE + uneven + ending
}

/// Moves ends and beginnings so that every subtitle is seen, and none overlaps the next.
fn separate(cues: &mut [Cue], options: &SubtitleOptions) {
    let mut free_from = 0;
    for position in 0..cues.len() {
        let next = cues.get(position + 1).map_or(u64::MAX, |next| next.start);
        let cue = &mut cues[position];
        cue.start = cue.start.max(free_from);
        let wanted = cue.end.max(cue.start + milliseconds(options.shortest.max(reading_time(cue, options))));
        cue.end = wanted.min(next.max(cue.start + milliseconds(GLIMPSE)));
        free_from = cue.end;
    }
}

/// Seconds that it takes to read a subtitle, where that matters, and no more than one may stay.
fn reading_time(cue: &Cue, options: &SubtitleOptions) -> f64 {
    let Some(speed) = options.reading_speed else { return 0.0 };
    let characters: usize = cue.lines.iter().map(|line| line.chars().count()).sum();
    (characters as f64 / speed).min(options.longest)
}

fn milliseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0).round() as u64
}
