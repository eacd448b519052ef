//! A model file's first bytes: whether it is one, and which one.

use std::{fs::File, io::Read, path::Path};

use crate::recogniser::RecogniserError;

const MAGIC: u32 = 0x6767_6d6c;
/// Vocabularies of this size or more hold the languages' tokens.
const MULTILINGUAL_VOCABULARY: u32 = 51_865;

/// The sizes that tell Whisper's models apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) multilingual: bool,
    pub(super) audio_layers: u32,
    pub(super) text_layers: u32,
    pub(super) mels: u32,
}

impl Header {
    /// # Errors
    /// [`RecogniserError::Weights`] for a file that cannot be read or is of another kind.
    pub(super) fn read(path: &Path) -> Result<Self, RecogniserError> {
        let refuse = |reason: String| RecogniserError::Weights { path: path.to_owned(), reason };
        let mut file = File::open(path).map_err(|error| refuse(error.to_string()))?;
        let mut bytes = Vec::new();
        file.by_ref().take(48).read_to_end(&mut bytes).map_err(|error| refuse(error.to_string()))?;
        let numbers: Vec<u32> = bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        match numbers[..] {
            [MAGIC, vocabulary, _, _, _, audio_layers, _, _, _, text_layers, mels, _] => {
                let multilingual = vocabulary >= MULTILINGUAL_VOCABULARY;
                Ok(Self { multilingual, audio_layers, text_layers, mels })
            }
            _ => Err(refuse("it is not in ggml's format; give a file such as whisper.cpp's ggml-base.bin".to_owned())),
        }
    }
}
