//! Whisper's tokens: what goes before a text, and what comes out as one.

use std::path::Path;

use ct2rs::sys::WhisperGenerationResult;
use models::ggml::Vocabulary;
use tokenizers::Tokenizer;

use super::{
    super::{
        RecogniserError,
        decoder::{Attempt, POSITION_S, Pass, Token, TokenKind},
    },
    failed,
};

/// Tokens of a prompt that Whisper can take: half of what it can hold, less the one that announces them.
const MAX_PROMPT_TOKENS: usize = 223;

const PROMPT: &str = "<|startofprev|>";
const START: &str = "<|startoftranscript|>";
/// The last control token; the times follow it.
const NO_TIMES: &str = "<|notimestamps|>";

pub(super) struct Tokens {
    vocabulary: Vocabulary,
    first_time: usize,
    multilingual: bool,
}

impl Tokens {
    /// Reads a `tokenizer.json`.
    pub(super) fn read(tokenizer: &Path, multilingual: bool) -> Result<Self, String> {
        let vocabulary = Vocabulary::read(tokenizer).map_err(|error| error.to_string())?;
        let no_times = vocabulary.control(NO_TIMES);
        let no_times = no_times.ok_or_else(|| format!("its tokenizer.json has no {NO_TIMES}"))?;
        Ok(Self { vocabulary, first_time: no_times + 1, multilingual })
    }

    pub(super) fn know_language(&self, code: &str) -> bool {
        self.vocabulary.control(&language_token(code)).is_some()
    }

    /// What CTranslate2 goes on from: the user's prompt and the control tokens.
    pub(super) fn prompt(&self, attempt: &Attempt<'_>) -> Vec<String> {
        let given = &attempt.prompt[attempt.prompt.len().saturating_sub(MAX_PROMPT_TOKENS)..];
        let announced =
            (!given.is_empty()).then(|| PROMPT.to_owned()).into_iter().chain(self.vocabulary.letters(given));
        announced.chain(self.control(attempt)).collect()
    }

    /// The ids of the control tokens before the text.
    pub(super) fn start(&self, attempt: &Attempt<'_>) -> Result<Vec<usize>, RecogniserError> {
        let ids = self.control(attempt).into_iter().map(|name| {
            self.vocabulary.control(&name).ok_or_else(|| RecogniserError::Failed {
                doing: "choosing a language",
                reason: format!("the model has no token {name}"),
            })
        });
        ids.collect()
    }

    fn control(&self, attempt: &Attempt<'_>) -> Vec<String> {
        if !self.multilingual {
            return vec![START.to_owned()];
        }
        let task = if attempt.translate { "<|translate|>" } else { "<|transcribe|>" };
        vec![START.to_owned(), language_token(attempt.language), task.to_owned()]
    }

    /// CTranslate2 gives one score for a whole text, and every token gets it.
    pub(super) fn pass(&self, generated: &WhisperGenerationResult) -> Pass {
        let ids = generated.sequences_ids.first().map(Vec::as_slice).unwrap_or_default();
        let sum = generated.scores.first().copied().unwrap_or_default() * ids.len() as f32;
        // The end of the text was chosen, too.
        let logprob = sum / (ids.len() + 1) as f32;
        let tokens = ids.iter().map(|id| Token { id: *id as u32, kind: self.kind(*id), logprob });
        Pass { tokens: tokens.collect(), no_speech_prob: generated.no_speech_prob }
    }

    fn kind(&self, id: usize) -> TokenKind {
        match self.vocabulary.bytes(id) {
            Some(bytes) => TokenKind::Text { bytes: bytes.to_vec(), end: None },
            None if id >= self.first_time => TokenKind::Time((id - self.first_time) as f64 * POSITION_S),
            None => TokenKind::Control,
        }
    }
}

fn language_token(code: &str) -> String {
    format!("<|{code}|>")
}

/// The tokens of a user's prompt. The tokenizer is read for each, since it takes more memory than the model leaves.
pub(super) fn of_prompt(tokenizer: &Path, prompt: &str) -> Result<Vec<u32>, RecogniserError> {
    let tokenizer = Tokenizer::from_file(tokenizer).map_err(failed("reading the tokenizer"))?;
    let encoded = tokenizer.encode(format!(" {}", prompt.trim()), false).map_err(failed("reading the prompt"))?;
    Ok(encoded.get_ids().to_vec())
}
