//! Advanced SubStation Alpha: subtitles with their look, and with words that are marked as they are spoken.

use std::io::{self, Write};

use super::{
    cues::{Cue, in_order},
    subtitle_options::SubtitleOptions,
    subtitles::stretches,
};

/// White letters with a black rim at the bottom; those that are not spoken yet are grey.
const HEAD: &str = "\
[Script Info]
ScriptType: v4.00+
PlayResX: 1280
PlayResY: 720
WrapStyle: 2
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,44,&H00FFFFFF,&H00A0A0A0,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,2,1,2,40,40,40,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
";

/// Writes all subtitles of a recording, given in any order.
pub(super) fn write_ass(cues: Vec<Cue>, options: &SubtitleOptions, out: &mut impl Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    for cue in in_order(cues, options) {
        let (start, end) = (timestamp(cue.start), timestamp(cue.end));
        writeln!(out, "Dialogue: 0,{start},{end},Default,,0,0,0,,{}", text(&cue))?;
    }
    Ok(())
}

fn text(cue: &Cue) -> String {
    let mut written = String::new();
    let mut marked_to = centiseconds(cue.start);
    let mut words = cue.words.iter().map(|word| centiseconds(word.start.clamp(cue.start, cue.end)));
    let mut begins = words.next();
    for (number, line) in (0..).zip(&cue.lines) {
        if number > 0 {
            written.push_str("\\N");
        }
        for stretch in stretches(cue, number, line) {
            if let Some(begin) = begins {
                if begin > marked_to {
                    written.push_str(&format!("{{\\k{}}}", begin - marked_to));
                    marked_to = begin;
                }
                begins = words.next();
                let end = begins.unwrap_or(centiseconds(cue.end)).max(marked_to);
                written.push_str(&format!("{{\\k{}}}", end - marked_to));
                marked_to = end;
            }
            written.push_str(&escaped(stretch.text));
        }
    }
    written
}

/// Braces begin commands, and a backslash does before some letters: it is kept from them by a joiner that nobody sees.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\u{2060}").replace('{', "\\{").replace('}', "\\}")
}

fn centiseconds(milliseconds: u64) -> u64 {
    (milliseconds + 5) / 10
}

fn timestamp(milliseconds: u64) -> String {
    let centiseconds = centiseconds(milliseconds);
    let seconds = centiseconds / 100;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}.{:02}", seconds % 60, centiseconds % 100)
}
