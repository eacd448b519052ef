//! The syntax of SubRip and WebVTT.

use super::cues::cues;
use crate::transcript::Segment;

pub(super) fn srt(segments: &[Segment]) -> String {
    let blocks = cues(segments).into_iter().enumerate().map(|(position, cue)| {
        // SubRip has no escapes, and players take a line with an arrow for a line of times.
        let lines = cue.lines.join("\n").replace("-->", "->");
        format!("{}\n{} --> {}\n{lines}\n", position + 1, timestamp(cue.start, ','), timestamp(cue.end, ','))
    });
    blocks.collect::<Vec<_>>().join("\n")
}

pub(super) fn vtt(segments: &[Segment]) -> String {
    let blocks = cues(segments).into_iter().map(|cue| {
        let lines = cue.lines.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!("\n{} --> {}\n{lines}\n", timestamp(cue.start, '.'), timestamp(cue.end, '.'))
    });
    std::iter::once("WEBVTT\n".to_owned()).chain(blocks).collect()
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
