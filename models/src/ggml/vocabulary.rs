//! A model's tokens, out of a Hugging Face `tokenizer.json`.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::{self, Write},
    path::Path,
};

use serde::Deserialize;

use super::{GgmlError, file::write_length, invalid};

/// Everything from this token on is a control token, whose id whisper.cpp knows by itself.
const END_OF_TEXT: &str = "<|endoftext|>";

#[derive(Deserialize)]
struct Tokenizer {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

/// The text tokens in the order of their ids, which have no gap, and the control tokens by name.
#[derive(Debug)]
pub struct Vocabulary {
    text: Vec<Vec<u8>>,
    control: HashMap<String, u32>,
}

impl Vocabulary {
    /// Reads a Hugging Face `tokenizer.json`.
    ///
    /// # Errors
    /// A file that cannot be read, or is no tokenizer of Whisper's.
    pub fn read(tokenizer: &Path) -> Result<Self, GgmlError> {
        let failed = GgmlError::reading(tokenizer);
        let json = fs::read(tokenizer).map_err(&failed)?;
        let parsed: Tokenizer = serde_json::from_slice(&json)
            .map_err(|error| failed(invalid(format!("it is no tokenizer.json: {error}"))))?;
        let control = parsed.added_tokens.iter().map(|token| (token.content.clone(), token.id)).collect();
        Ok(Self { text: text_tokens(parsed).map_err(failed)?, control })
    }

    /// A text token's bytes, which need not be whole characters; `None` for control tokens.
    pub fn bytes(&self, token: usize) -> Option<&[u8]> {
        self.text.get(token).map(Vec::as_slice)
    }

    /// Text tokens as the file writes them, one visible letter for each byte; others are left out.
    pub fn letters(&self, tokens: &[u32]) -> Vec<String> {
        let letter_of: HashMap<u8, char> = bytes_by_letter().into_iter().map(|(letter, byte)| (byte, letter)).collect();
        let written = |bytes: &[u8]| bytes.iter().map(|byte| letter_of.get(byte)).collect();
        tokens.iter().filter_map(|token| written(self.bytes(*token as usize)?)).collect()
    }

    /// The id of a control token, such as `<|startoftranscript|>`.
    pub fn control(&self, name: &str) -> Option<usize> {
        self.control.get(name).map(|id| *id as usize)
    }

    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        write_length(output, self.text.len())?;
        self.text.iter().try_for_each(|token| {
            write_length(output, token.len())?;
            output.write_all(token)
        })
    }
}

fn text_tokens(tokenizer: Tokenizer) -> io::Result<Vec<Vec<u8>>> {
    let added = tokenizer.added_tokens.iter().find(|token| token.content == END_OF_TEXT).map(|token| token.id);
    let end = added.or_else(|| tokenizer.model.vocab.get(END_OF_TEXT).copied());
    let end = end.ok_or_else(|| invalid(format!("its tokenizer has no {END_OF_TEXT}")))?;
    let by_id: BTreeMap<u32, String> =
        tokenizer.model.vocab.into_iter().map(|(token, id)| (id, token)).filter(|(id, _)| *id < end).collect();
    if by_id.len() != end as usize {
        return Err(invalid(format!("its tokenizer has {} text tokens where {end} are due", by_id.len())));
    }
    let bytes = bytes_by_letter();
    by_id.into_values().map(|token| token_bytes(&token, &bytes)).collect()
}

fn token_bytes(token: &str, bytes: &HashMap<char, u8>) -> io::Result<Vec<u8>> {
    let byte = |letter| bytes.get(&letter).copied().ok_or_else(|| invalid(format!("its token {token:?} is no bytes")));
    token.chars().map(byte).collect()
}

/// GPT-2 writes each byte of a token as one visible letter: printable ones as themselves, the
/// others as the letters from U+0100 on, in order.
fn bytes_by_letter() -> HashMap<char, u8> {
    let mut shifted = ('\u{100}'..).take(256);
    (0..=u8::MAX)
        .filter_map(|byte| {
            let letter = match byte {
                b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => Some(char::from(byte)),
                _ => shifted.next(),
            };
            Some((letter?, byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{bytes_by_letter, token_bytes};

    #[test]
    fn letters_become_the_bytes_they_stand_for() {
        let bytes = bytes_by_letter();
        assert_eq!(bytes.len(), 256);
        for (token, expected) in
            [("Ġthe", &b" the"[..]), ("Ċ", b"\n"), ("Ã¼", "ü".as_bytes()), ("Ń", b"\xad"), ("", b"")]
        {
            assert_eq!(token_bytes(token, &bytes).unwrap(), expected, "{token}");
        }
        assert!(token_bytes("語", &bytes).is_err());
    }
}
