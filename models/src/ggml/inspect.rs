//! Whether a file is a whole Whisper model, and which one, told without reading its weights.
//!
//! A recogniser that is given half a model may take its process down, so this looks first.

use std::{
    fs::File,
    io::{self, BufReader, Seek},
    path::Path,
};

use super::{
    file::{Header, TensorHead, read_u32},
    invalid,
};

/// Vocabularies of this size or more hold the languages' tokens.
const MULTILINGUAL_VOCABULARY: u32 = 51_865;
/// Languages of the smallest of these vocabularies; each further token is one more.
const FIRST_LANGUAGES: u32 = 99;
/// No Whisper model comes near these; a damaged header does, and would be answered with gigabytes of memory.
const MOST_TOKENS: u32 = 200_000;
const MOST_LAYERS: u32 = 128;
const LARGEST_STATE: u32 = 16_384;
const LONGEST_TOKEN: u32 = 4096;

/// The sizes that tell Whisper's models apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub multilingual: bool,
    /// Languages that the vocabulary has tokens for, in Whisper's order; English alone has none.
    pub languages: u32,
    pub audio_layers: u32,
    pub text_layers: u32,
    /// Bands of the mel filter bank.
    pub mels: u32,
}

/// Walks through a file in ggml's format, from its header to the end of its last tensor.
///
/// # Errors
/// A file that cannot be read, is of another kind, or ends too early; the error's text says which.
pub fn inspect(path: &Path) -> io::Result<Shape> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let walked = Walk { input: BufReader::new(file), length }.shape();
    walked.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => invalid("it ends in the middle, so remove it and fetch it again"),
        _ => error,
    })
}

fn languages(vocabulary: u32) -> u32 {
    vocabulary.checked_sub(MULTILINGUAL_VOCABULARY).map_or(0, |more| FIRST_LANGUAGES + more)
}

struct Walk {
    input: BufReader<File>,
    length: u64,
}

impl Walk {
    fn shape(mut self) -> io::Result<Shape> {
        let header = Header::read(&mut self.input)?;
        refuse_impossible(&header)?;
        let (bands, bins) = (read_u32(&mut self.input)?, read_u32(&mut self.input)?);
        self.skip(u64::from(bands) * u64::from(bins) * 4)?;
        for _ in 0..read_u32(&mut self.input)? {
            let length = read_u32(&mut self.input)?;
            if length > LONGEST_TOKEN {
                return Err(damaged());
            }
            self.skip(length.into())?;
        }
        while let Some(tensor) = TensorHead::read(&mut self.input)? {
            self.skip(tensor.bytes())?;
        }
        Ok(Shape {
            multilingual: header.vocabulary >= MULTILINGUAL_VOCABULARY,
            languages: languages(header.vocabulary),
            audio_layers: header.audio_layers,
            text_layers: header.text_layers,
            mels: header.mels,
        })
    }

    /// Passes over bytes that have to be there.
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if self.length - self.input.stream_position()? < bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.input.seek_relative(bytes.cast_signed())
    }
}

fn refuse_impossible(header: &Header) -> io::Result<()> {
    let possible = header.vocabulary <= MOST_TOKENS
        && [header.audio_layers, header.text_layers].iter().all(|layers| (1..=MOST_LAYERS).contains(layers))
        && [header.audio_state, header.text_state, header.audio_context, header.text_context]
            .iter()
            .all(|size| (1..=LARGEST_STATE).contains(size));
    if possible { Ok(()) } else { Err(damaged()) }
}

fn damaged() -> io::Error {
    invalid("it is damaged, so remove it and fetch it again")
}
