//! What leads the recogniser: the user's hotwords and prompt, as many of their tokens as the model takes.

use super::{
    RecogniseOptions, RecogniserError,
    decoder::{Decoder, Pass, TokenKind, text_of},
    repetition,
};

/// Tokens that Whisper takes before a text: half of what it can hold, less the one that announces them.
const MAX_TOKENS: usize = 223;
/// Of these, as many as hotwords may take.
const MAX_HOTWORD_TOKENS: usize = 150;
/// Letters of the shortest phrase that is no accident where it repeats the prompt.
const SHORTEST_ECHO: usize = 16;

/// Hotwords and prompt of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) tokens: Vec<u32>,
    /// Whether there was more than the model takes.
    pub(super) is_cut: bool,
    /// Its letters and digits.
    letters: String,
    /// A phrase of fewer letters is no echo.
    shortest_echo: usize,
    /// What it was made of.
    prompt: Option<String>,
    hotwords: Vec<String>,
}

impl Prompt {
    /// Of a prompt the end is kept, of hotwords those that come first. What a prompt says over and over, which Whisper
    /// would go on with, is said once.
    pub(super) fn of(options: &RecogniseOptions, decoder: &dyn Decoder) -> Result<Self, RecogniserError> {
        let (hotwords, named) = hotwords(&options.hotwords, decoder)?;
        let prompt = match &options.prompt {
            Some(prompt) => once(&decoder.tokenise(prompt)?),
            None => Vec::new(),
        };
        let kept = prompt.len().min(MAX_TOKENS - hotwords.len());
        let is_cut = kept < prompt.len() || named < options.hotwords.len();
        let tokens = [hotwords, prompt[prompt.len() - kept..].to_vec()].concat();
        let longest_hotword = options.hotwords.iter().map(|hotword| letters(hotword).len()).max().unwrap_or_default();
        let said = [options.hotwords.concat().as_str(), options.prompt.as_deref().unwrap_or_default()].concat();
        Ok(Self {
            tokens,
            is_cut,
            letters: letters(&said),
            shortest_echo: SHORTEST_ECHO.max(longest_hotword + 1),
            prompt: options.prompt.clone(),
            hotwords: options.hotwords.clone(),
        })
    }

    /// Whether it is what these options ask for: to read a prompt can take longer than to recognise a chunk.
    pub(super) fn is_of(&self, options: &RecogniseOptions) -> bool {
        self.prompt == options.prompt && self.hotwords == options.hotwords
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether one of the phrases says what the prompt says, word for word, and so may come from there.
    pub(super) fn is_echoed_by(&self, pass: &Pass) -> bool {
        let phrases = pass.tokens.split(|token| matches!(token.kind, TokenKind::Time(_)));
        let mut said = phrases.map(|phrase| letters(&text_of(phrase)));
        said.any(|said| said.len() >= self.shortest_echo && self.letters.contains(&said))
    }
}

/// Tokens of the hotwords that fit, and how many these are.
fn hotwords(hotwords: &[String], decoder: &dyn Decoder) -> Result<(Vec<u32>, usize), RecogniserError> {
    let mut named = hotwords.len();
    while named > 0 {
        let tokens = decoder.tokenise(&format!(" Glossary: {}.", hotwords[..named].join(", ")))?;
        if tokens.len() <= MAX_HOTWORD_TOKENS {
            return Ok((tokens, named));
        }
        // No more than in proportion, and at least one fewer.
        named = (named * MAX_HOTWORD_TOKENS / tokens.len()).min(named - 1);
    }
    Ok((Vec::new(), 0))
}

fn once(tokens: &[u32]) -> Vec<u32> {
    let kept = repetition::kept(tokens);
    tokens.iter().zip(kept).filter_map(|(token, kept)| kept.then_some(*token)).collect()
}

fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
