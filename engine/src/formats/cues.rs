//! Subtitles without their syntax: who says how much when, in lines that a viewer can read.

use super::{
    lines::{LINE, break_cost, broken, width},
    timed_text::{Piece, pieces},
};
use crate::transcript::Segment;

/// Seconds that a subtitle stays at most, unless a single word lasts longer.
const LONGEST: f64 = 7.0;
/// Seconds that a subtitle stays at least, if the next one leaves it the time.
const SHORTEST: f64 = 0.8;
/// Seconds that it stays even if the next one has to wait.
const GLIMPSE: f64 = 0.2;
/// A pause of so many seconds ends a subtitle, so that it is gone when nobody speaks.
const PAUSE: f64 = 1.5;
/// What one subtitle more costs, against the costs of a break.
const ONE_MORE: u32 = 100;

/// One subtitle: one or two lines, from `start` until just before `end`, in milliseconds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) lines: Vec<String>,
}

/// All subtitles of a recording in order; none is empty, none overlaps the next.
pub(super) fn in_order(mut cues: Vec<Cue>) -> Vec<Cue> {
    cues.sort_by_key(|cue| cue.start);
    separate(&mut cues);
    cues
}

/// The subtitles of a segment, as if there were no others.
pub(super) fn of_segment(segment: &Segment) -> Vec<Cue> {
    let pieces = pieces(segment, LINE);
    let mut rest = pieces.as_slice();
    let mut cues = Vec::new();
    for length in cue_lengths(&pieces) {
        let (taken, left) = rest.split_at(length);
        rest = left;
        let lines = broken(taken).unwrap_or_default();
        cues.push(Cue { start: milliseconds(taken[0].start), end: milliseconds(taken[length - 1].end), lines });
    }
    cues
}

/// How many pieces each subtitle takes, by the cheapest of all ways to split them.
fn cue_lengths(pieces: &[Piece<'_>]) -> Vec<usize> {
    // `best[n]` is the cost of the first n pieces and the length of the last subtitle among them.
    let mut best: Vec<(u32, usize)> = vec![(0, 0)];
    for end in 1..=pieces.len() {
        let lengths = (1..=end).take_while(|&length| fits(&pieces[end - length..end]));
        let ways = lengths.map(|length| {
            let taken = &pieces[end - length..end];
            (best[end - length].0 + cost(taken, end == pieces.len()), length)
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
fn fits(pieces: &[Piece<'_>]) -> bool {
    let seconds = pieces[pieces.len() - 1].end - pieces[0].start;
    let paused = pieces.windows(2).any(|pair| pair[1].start - pair[0].end > PAUSE);
    pieces.len() == 1 || (seconds <= LONGEST && !paused && broken(pieces).is_some())
}

/// Subtitles should be few, filled alike, and end where a sentence or a clause does.
fn cost(pieces: &[Piece<'_>], last: bool) -> u32 {
    let unfilled = (2 * LINE).saturating_sub(width(pieces)) as u32;
    let uneven = unfilled * unfilled / (4 * LINE as u32);
    let ending = if last { 0 } else { break_cost(&pieces[pieces.len() - 1]) };
    ONE_MORE + uneven + ending
}

/// Moves ends and beginnings so that every subtitle is seen and none overlaps the next.
fn separate(cues: &mut [Cue]) {
    let mut free_from = 0;
    for position in 0..cues.len() {
        let next = cues.get(position + 1).map_or(u64::MAX, |next| next.start);
        let cue = &mut cues[position];
        cue.start = cue.start.max(free_from);
        let wanted = cue.end.max(cue.start + milliseconds(SHORTEST));
        cue.end = wanted.min(next.max(cue.start + milliseconds(GLIMPSE)));
        free_from = cue.end;
    }
}

fn milliseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0).round() as u64
}
