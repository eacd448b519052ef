//! The syntax of SubRip and WebVTT.

use std::io::{self, Write};

use super::cues::{Cue, in_order};

/// Writes all subtitles of a recording, given in any order, as SubRip.
pub(super) fn write_srt(cues: Vec<Cue>, out: &mut impl Write) -> io::Result<()> {
    for (position, cue) in in_order(cues).into_iter().enumerate() {
        // SubRip has no escapes, and players take a line with an arrow for a line of times.
        let lines = cue.lines.join("\n").replace("-->", "->");
        let (start, end) = (timestamp(cue.start, ','), timestamp(cue.end, ','));
        let blank = if position > 0 { "\n" } else { "" };
        write!(out, "{blank}{}\n{start} --> {end}\n{lines}\n", position + 1)?;
    }
    Ok(())
}

/// As [`write_srt`], as WebVTT.
pub(super) fn write_vtt(cues: Vec<Cue>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"WEBVTT\n")?;
    for cue in in_order(cues) {
        let lines = cue.lines.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        write!(out, "\n{} --> {}\n{lines}\n", timestamp(cue.start, '.'), timestamp(cue.end, '.'))?;
    }
    Ok(())
}

fn timestamp(milliseconds: u64, point: char) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}{point}{:03}", seconds % 60, milliseconds % 1000)
}

/// Seconds as `m:ss` or `h:mm:ss`, for people.
pub(super) fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}
