//! How subtitles are cut and shown.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::Format;

const LINE_LENGTHS: RangeInclusive<f64> = 10.0..=200.0;
const LINES: RangeInclusive<f64> = 1.0..=5.0;
const LONGEST: RangeInclusive<f64> = 0.5..=60.0;
const SHORTEST: RangeInclusive<f64> = 0.0..=10.0;
const READING_SPEEDS: RangeInclusive<f64> = 5.0..=100.0;

/// What is asked of subtitles, unchecked: flags of the command line, parameters of an address.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct SubtitleChoices {
    /// Columns of a subtitle's line, 10 to 200 [default: 42]
    #[cfg_attr(feature = "clap", arg(long, value_name = "COLUMNS", help_heading = "Subtitles"))]
    pub line_length: Option<u16>,
    /// Lines of a subtitle, 1 to 5 [default: 2]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N", help_heading = "Subtitles"))]
    pub lines: Option<u16>,
    /// Seconds that a subtitle stays at most, 0.5 to 60, unless a single word lasts longer [default: 7]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SECONDS", help_heading = "Subtitles"))]
    pub longest: Option<f64>,
    /// Seconds that a subtitle stays at least, 0 to 10, where the next one leaves it the time [default: 0.8]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SECONDS", help_heading = "Subtitles"))]
    pub shortest: Option<f64>,
    /// Characters that are read in a second, 5 to 100: a subtitle stays for as long as it takes to read, where the next one leaves it the time
    #[cfg_attr(feature = "clap", arg(long, value_name = "N", help_heading = "Subtitles"))]
    pub reading_speed: Option<f64>,
    /// Mark each word as it is spoken, in vtt and ass; takes a job with word times
    #[cfg_attr(feature = "clap", arg(long, help_heading = "Subtitles"))]
    #[cfg_attr(feature = "openapi", param(required = false, default = false))]
    pub highlight_words: bool,
}

/// How subtitles are cut and shown, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct SubtitleOptions {
    /// Columns.
    pub(super) line_length: usize,
    pub(super) lines: usize,
    /// Seconds.
    pub(super) longest: f64,
    pub(super) shortest: f64,
    /// Characters in a second.
    pub(super) reading_speed: Option<f64>,
    pub(super) highlight_words: bool,
}

/// Subtitles cannot be as they are asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadSubtitles {
    #[error("{what} {given} is out of range: give {least} to {most}")]
    OutOfRange { field: &'static str, what: &'static str, given: f64, least: f64, most: f64 },
    #[error(
        "subtitles that stay for {shortest} s at least cannot stay for {longest} s at most: make longest the larger"
    )]
    ShortestIsLonger { shortest: f64, longest: f64 },
    #[error("{format} has no subtitles to shape: leave {field} out, or ask for srt, vtt or ass")]
    NoSubtitles { field: &'static str, format: Format },
    #[error("{format} cannot mark words as they are spoken: ask for vtt or ass")]
    NoHighlights { format: Format },
}

impl BadSubtitles {
    /// The choice that is wrong, as it is named in addresses.
    pub fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. } | Self::NoSubtitles { field, .. } => field,
            Self::ShortestIsLonger { .. } => "longest",
            Self::NoHighlights { .. } => "highlight_words",
        }
    }
}

impl Default for SubtitleOptions {
    /// What television does: two lines of 42 columns, for 7 seconds at most.
    fn default() -> Self {
        Self { line_length: 42, lines: 2, longest: 7.0, shortest: 0.8, reading_speed: None, highlight_words: false }
    }
}

impl SubtitleChoices {
    /// The options for a document of this format, with the defaults for what is not asked for.
    ///
    /// # Errors
    /// A choice that cannot be, or one that the format has no use for.
    pub fn resolve(&self, format: Format) -> Result<SubtitleOptions, BadSubtitles> {
        let Self { line_length, lines, longest, shortest, reading_speed, highlight_words } = *self;
        if !format.is_subtitles() {
            return self.made().map_or_else(
                || Ok(SubtitleOptions::default()),
                |field| Err(BadSubtitles::NoSubtitles { field, format }),
            );
        }
        if highlight_words && format == Format::Srt {
            return Err(BadSubtitles::NoHighlights { format });
        }
        check("line_length", "a line's length of", line_length.map(f64::from), LINE_LENGTHS)?;
        check("lines", "a number of lines of", lines.map(f64::from), LINES)?;
        check("longest", "a longest time of", longest, LONGEST)?;
        check("shortest", "a shortest time of", shortest, SHORTEST)?;
        check("reading_speed", "a reading speed of", reading_speed, READING_SPEEDS)?;
        let default = SubtitleOptions::default();
        let options = SubtitleOptions {
            line_length: line_length.map_or(default.line_length, usize::from),
            lines: lines.map_or(default.lines, usize::from),
            longest: longest.unwrap_or(default.longest),
            shortest: shortest.unwrap_or_else(|| default.shortest.min(longest.unwrap_or(default.longest))),
            reading_speed,
            highlight_words,
        };
        if options.shortest > options.longest {
            let SubtitleOptions { shortest, longest, .. } = options;
            return Err(BadSubtitles::ShortestIsLonger { shortest, longest });
        }
        Ok(options)
    }

    /// The first choice that is made.
    fn made(&self) -> Option<&'static str> {
        let Self { line_length, lines, longest, shortest, reading_speed, highlight_words } = self;
        let made = [
            ("line_length", line_length.is_some()),
            ("lines", lines.is_some()),
            ("longest", longest.is_some()),
            ("shortest", shortest.is_some()),
            ("reading_speed", reading_speed.is_some()),
            ("highlight_words", *highlight_words),
        ];
        made.into_iter().find(|(_, is_made)| *is_made).map(|(field, _)| field)
    }
}

fn check(
    field: &'static str,
    what: &'static str,
    given: Option<f64>,
    range: RangeInclusive<f64>,
) -> Result<(), BadSubtitles> {
    match given {
        Some(given) if !range.contains(&given) => {
            Err(BadSubtitles::OutOfRange { field, what, given, least: *range.start(), most: *range.end() })
        }
        _ => Ok(()),
    }
}
