//! Writing down a result while it is read, so that neither it nor the document is ever in memory as a whole: the services
//! hand out recordings of a day.

use std::io::{self, Read, Write};

use super::{
    Format,
    cues::{Cue, of_segment},
    subtitles::{write_srt, write_vtt},
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
    pub fn write_stored(self, head: &ResultHead, mut result: impl Read, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Txt => Ok(read_pieces(result, LastPiece::Text, &mut TextWriter(out))?),
            Self::Json => io::copy(&mut result, out).map(drop),
            Self::VerboseJson => {
                let mut document = VerboseWriter::begin(head, out)?;
                read_pieces(result, LastPiece::Word, &mut document)?;
                document.end()
            }
            Self::Srt => write_srt(cues(result)?, out),
            Self::Vtt => write_vtt(cues(result)?, out),
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
fn cues(result: impl Read) -> io::Result<Vec<Cue>> {
    let mut cues = Cues(Vec::new());
    read_pieces(result, LastPiece::Segment, &mut cues)?;
    Ok(cues.0)
}

struct Cues(Vec<Cue>);

impl ResultPieces for Cues {
    fn text(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn segment(&mut self, segment: Segment) -> io::Result<()> {
        self.0.extend(of_segment(&segment));
        Ok(())
    }

    fn word(&mut self, _word: Word) -> io::Result<()> {
        Ok(())
    }
}
