//! A result as txt, json, verbose_json, srt or vtt, the same for every program that hands one out.
//!
//! It knows nothing of where a result comes from or goes to.

mod answers;
mod cues;
mod languages;
mod lines;
mod stored;
mod subtitles;
mod timed_text;
mod verbose;

use std::{fmt, io, str::FromStr};

pub use answers::{answer, answers};
pub use languages::language_name;
pub use verbose::VerboseJson;

use cues::{Cue, of_segment};
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
}

/// A format's name that is none.
#[derive(Debug, thiserror::Error)]
#[error("unknown format {0:?}: name one of txt, json, verbose_json, srt, vtt")]
pub struct UnknownFormat(String);

impl Format {
    pub const ALL: [Self; 5] = [Self::Txt, Self::Json, Self::VerboseJson, Self::Srt, Self::Vtt];

    pub fn name(self) -> &'static str {
        match self {
            Self::Txt => "txt",
            Self::Json => "json",
            Self::VerboseJson => "verbose_json",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
        }
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
    /// None for a result that came out of the store; serde's, where one holds what JSON cannot.
    pub fn render(self, result: &JobResult) -> Result<String, serde_json::Error> {
        match self {
            Self::Txt => Ok(text(result)),
            Self::Json => serde_json::to_string_pretty(result).map(with_newline),
            Self::VerboseJson => serde_json::to_string_pretty(&VerboseJson::of(result)).map(with_newline),
            Self::Srt => subtitles(result, write_srt),
            Self::Vtt => subtitles(result, write_vtt),
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

fn text(result: &JobResult) -> String {
    match result.text.trim() {
        "" => String::new(),
        text => with_newline(text.to_owned()),
    }
}

fn subtitles(
    result: &JobResult,
    write: fn(Vec<Cue>, &mut Vec<u8>) -> io::Result<()>,
) -> Result<String, serde_json::Error> {
    let mut document = Vec::new();
    let cues = result.segments.iter().flat_map(of_segment).collect();
    write(cues, &mut document).map_err(serde_json::Error::io)?;
    // It is made of strings.
    Ok(String::from_utf8_lossy(&document).into_owned())
}

fn with_newline(mut document: String) -> String {
    document.push('\n');
    document
}

#[cfg(test)]
mod tests;
