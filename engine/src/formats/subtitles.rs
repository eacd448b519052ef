//! The syntax of SubRip and WebVTT.

use std::io::{self, Write};

use super::{
    cues::{Cue, in_order},
    subtitle_options::SubtitleOptions,
};

/// Writes all subtitles of a recording, given in any order, as SubRip.
pub(super) fn write_srt(cues: Vec<Cue>, options: &SubtitleOptions, out: &mut impl Write) -> io::Result<()> {
    for (position, cue) in in_order(cues, options).into_iter().enumerate() {
        // SubRip has no escapes, and players take a line with an arrow for a line of times.
        let lines = cue.lines.join("\n").replace("-->", "->");
        let (start, end) = (timestamp(cue.start, ','), timestamp(cue.end, ','));
        let blank = if position > 0 { "\n" } else { "" };
        let voice = cue.channel.map(|channel| format!("[{channel}] ")).unwrap_or_default();
        write!(out, "{blank}{}\n{start} --> {end}\n{voice}{lines}\n", position + 1)?;
    }
    Ok(())
}

/// As [`write_srt`], as WebVTT. Players mark what comes before a time as spoken when it has come.
pub(super) fn write_vtt(cues: Vec<Cue>, options: &SubtitleOptions, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"WEBVTT\n")?;
    for cue in in_order(cues, options) {
        let (start, end) = (timestamp(cue.start, '.'), timestamp(cue.end, '.'));
        let lines: Vec<_> = (0..).zip(&cue.lines).map(|(number, line)| vtt_line(&cue, number, line)).collect();
        let voice = cue.channel.map(|channel| format!("<v Channel {channel}>")).unwrap_or_default();
        write!(out, "\n{start} --> {end}\n{voice}{}\n", lines.join("\n"))?;
    }
    Ok(())
}

fn vtt_line(cue: &Cue, number: u32, line: &str) -> String {
    let mut written = String::with_capacity(line.len());
    for stretch in stretches(cue, number, line) {
        let text = stretch.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        match stretch.start {
            // A time at or before the subtitle's own is no time in it; what it is of is spoken from the beginning.
            Some(at) if at > cue.start && at < cue.end => {
                written.push_str(&format!("<{}><c>{text}</c>", timestamp(at, '.')));
            }
            Some(_) => written.push_str(&format!("<c>{text}</c>")),
            None => written.push_str(&text),
        }
    }
    written
}

/// A stretch of a line that is marked at once.
pub(super) struct Stretch<'a> {
    pub(super) text: &'a str,
    /// When its word begins, in milliseconds, where words are marked.
    pub(super) start: Option<u64>,
}

/// A line's words, each with the space after it; the line as one stretch where no words are marked.
pub(super) fn stretches<'a>(cue: &Cue, number: u32, line: &'a str) -> Vec<Stretch<'a>> {
    let words: Vec<_> = cue.words.iter().filter(|word| word.line == number).collect();
    if words.is_empty() {
        return vec![Stretch { text: line, start: None }];
    }
    let ends = words.iter().skip(1).map(|next| next.at as usize).chain([line.len()]);
    words
        .iter()
        .zip(ends)
        .map(|(word, end)| Stretch { text: &line[word.at as usize..end], start: Some(word.start) })
        .collect()
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
