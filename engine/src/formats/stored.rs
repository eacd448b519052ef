//! Writing down a result while it is read, so that neither it nor the document is ever in memory as a whole: the services
//! hand out recordings of a day.

use std::io::{self, Read, Write};

use super::{
    Format,
    ass::write_ass,
    cues::{Cue, of_segment},
    markdown::MarkdownWriter,
    subtitle_options::SubtitleOptions,
    subtitles::{write_srt, write_vtt},
    tsv,
    verbose::VerboseWriter,
};
use crate::{
    result::{LastPiece, ResultHead, ResultPieces, read_pieces},
    transcript::{Segment, Word},
};

impl Format {
    /// Writes the document of a stored result. JSON comes without line breaks, and `json` as it is stored.
    ///
    /// # Errors
    /// It is no result, or cannot be read, or what it gives cannot be written.
    pub fn write_stored(
        self,
        head: &ResultHead,
        mut result: impl Read,
        options: &SubtitleOptions,
        out: &mut impl Write,
    ) -> io::Result<()> {
        match self {
            Self::Txt => Ok(read_pieces(result, LastPiece::Text, &mut TextWriter(out))?),
            Self::Json => io::copy(&mut result, out).map(drop),
            Self::VerboseJson => {
                let mut document = VerboseWriter::begin(head, out)?;
                read_pieces(result, LastPiece::Word, &mut document)?;
                document.end()
            }
            Self::Srt => write_srt(cues(result, options)?, options, out),
            Self::Vtt => write_vtt(cues(result, options)?, options, out),
            Self::Ass => write_ass(cues(result, options)?, options, out),
            Self::Tsv => {
                out.write_all(tsv::HEAD.as_bytes())?;
                each_segment(result, |segment| tsv::write_row(&segment, out))
            }
            Self::Md => {
                let mut document = MarkdownWriter::begin(&head.into(), out)?;
                each_segment(result, |segment| document.segment(&segment))?;
                document.end()
            }
        }
    }
}

struct TextWriter<W>(W);

impl<W: Write> ResultPieces for TextWriter<W> {
    fn text(&mut self, text: &str) -> io::Result<()> {
        match text.trim() {
            "" => Ok(()),
            text => writeln!(self.0, "{text}"),
        }
    }

    fn segment(&mut self, _segment: Segment) -> io::Result<()> {
        Ok(())
    }

    fn word(&mut self, _word: Word) -> io::Result<()> {
        Ok(())
    }
}

/// Subtitles are put in order once all are there. They are far smaller than the result.
fn cues(result: impl Read, options: &SubtitleOptions) -> io::Result<Vec<Cue>> {
    let mut cues = Vec::new();
    each_segment(result, |segment| {
        cues.extend(of_segment(&segment, options));
        Ok(())
    })?;
    Ok(cues)
}

fn each_segment(result: impl Read, take: impl FnMut(Segment) -> io::Result<()>) -> io::Result<()> {
    Ok(read_pieces(result, LastPiece::Segment, &mut Segments(take))?)
}

struct Segments<F>(F);

impl<F: FnMut(Segment) -> io::Result<()>> ResultPieces for Segments<F> {
    fn text(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn segment(&mut self, segment: Segment) -> io::Result<()> {
        (self.0)(segment)
    }

    fn word(&mut self, _word: Word) -> io::Result<()> {
        Ok(())
    }
}
