//! A result as text, JSON, subtitles, a table or a document, the same for every program that hands one out.
//!
//! It knows nothing of where a result comes from or goes to.

mod answers;
mod ass;
mod cues;
mod lines;
mod markdown;
mod stored;
mod subtitle_options;
mod subtitles;
mod timed_text;
mod tsv;
mod verbose;

use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
};

pub use answers::{answer, answers};
pub use subtitle_options::{BadSubtitles, SubtitleChoices, SubtitleOptions};
pub use verbose::VerboseJson;

use ass::write_ass;
use cues::{Cue, of_segment};
use markdown::MarkdownWriter;
use serde::Serialize;
use subtitles::{write_srt, write_vtt};

use crate::result::JobResult;

/// A way to write down a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The text alone.
    Txt,
    /// The whole [`JobResult`].
    Json,
    /// The shape of OpenAI's transcription API.
    VerboseJson,
    /// SubRip subtitles.
    Srt,
    /// WebVTT subtitles.
    Vtt,
    /// Advanced SubStation Alpha subtitles.
    Ass,
    /// A line for each segment, with tabs between its start, its end and its text.
    Tsv,
    /// A Markdown document for people.
    Md,
}

/// A format's name that is none.
#[derive(Debug, thiserror::Error)]
#[error("unknown format {0:?}: name one of txt, json, verbose_json, srt, vtt, ass, tsv, md")]
pub struct UnknownFormat(String);

impl Format {
    pub const ALL: [Self; 8] =
        [Self::Txt, Self::Json, Self::VerboseJson, Self::Srt, Self::Vtt, Self::Ass, Self::Tsv, Self::Md];

    pub fn name(self) -> &'static str {
        match self {
            Self::Txt => "txt",
            Self::Json => "json",
            Self::VerboseJson => "verbose_json",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
            Self::Ass => "ass",
            Self::Tsv => "tsv",
            Self::Md => "md",
        }
    }

    /// Whether it is made of subtitles, which can be cut in several ways.
    pub fn is_subtitles(self) -> bool {
        matches!(self, Self::Srt | Self::Vtt | Self::Ass)
    }

    /// What a file in this format is called after the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::VerboseJson => "json",
            other => other.name(),
        }
    }

    /// The whole document, with a final newline unless it is empty.
    ///
    /// # Errors
    /// As [`Format::write`].
    pub fn render(self, result: &JobResult, options: &SubtitleOptions) -> io::Result<String> {
        let mut document = Vec::new();
        self.write(result, options, &mut document)?;
        // It is made of strings.
        Ok(String::from_utf8_lossy(&document).into_owned())
    }

    /// Writes what [`Format::render`] gives.
    ///
    /// # Errors
    /// Those of `out`; none else for a result that came out of the store.
    pub fn write(self, result: &JobResult, options: &SubtitleOptions, out: &mut impl Write) -> io::Result<()> {
        let cues = || -> Vec<Cue> { result.segments.iter().flat_map(|segment| of_segment(segment, options)).collect() };
        match self {
            Self::Txt => write_text(result, out),
            Self::Json => write_json(result, out),
            Self::VerboseJson => write_json(&VerboseJson::of(result), out),
            Self::Srt => write_srt(cues(), options, out),
            Self::Vtt => write_vtt(cues(), options, out),
            Self::Ass => write_ass(cues(), options, out),
            Self::Tsv => {
                out.write_all(tsv::HEAD.as_bytes())?;
                result.segments.iter().try_for_each(|segment| tsv::write_row(segment, out))
            }
            Self::Md => {
                let mut document = MarkdownWriter::begin(&result.into(), out)?;
                result.segments.iter().try_for_each(|segment| document.segment(segment))?;
                document.end()
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

fn write_text(result: &JobResult, out: &mut impl Write) -> io::Result<()> {
    match result.text.trim() {
        "" => Ok(()),
        text => writeln!(out, "{text}"),
    }
}

fn write_json(document: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

#[cfg(test)]
mod tests;
