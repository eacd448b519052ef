//! What every recogniser does with audio: it decodes, and measures. What to make of that is for
//! [`super::decode_with_fallback`] to say.

use std::sync::atomic::AtomicBool;

use super::RecogniserError;

/// A loaded model. Cheap to share between threads.
pub(super) trait Weights: Send + Sync {
    /// The program that recognises, and its version.
    fn program(&self) -> String;

    /// Whether the model knows other languages than English.
    fn is_multilingual(&self) -> bool;

    /// Whether the model has learnt the language of this code, which [`super::is_language`] knows.
    fn knows_language(&self, code: &str) -> bool;

    /// The most windows that one call of [`Decoder::decode`] is given.
    fn max_batch(&self) -> usize;

    /// Whether a decoder can use other numbers of threads than the layout's.
    fn takes_any_threads(&self) -> bool;

    /// Whether every decoder that is made from now on can tell when a token ends. Older ones that cannot hold weights
    /// that nobody else needs.
    fn gives_token_times(&self) -> bool;

    /// Positions of the encoder for so many samples: windows of the same number can be decoded together.
    fn audio_ctx(&self, context: Context, samples: usize) -> usize;

    /// A decoder; with `times` one that tells when each token ends.
    fn decoder(&self, times: bool) -> Result<Box<dyn Decoder>, RecogniserError>;
}

/// Decodes windows of at most [`super::LONGEST_CHUNK_S`], one call after the other.
pub(super) trait Decoder: Send {
    /// Whether it tells when each token ends, too, where [`Attempt::token_times`] asks for that.
    fn gives_token_times(&self) -> bool;

    /// How many threads decode from now on, where [`Weights::takes_any_threads`].
    fn set_threads(&mut self, threads: usize);

    /// The prompt's tokens, for [`Attempt::prompt`].
    fn tokenise(&self, prompt: &str) -> Result<Vec<u32>, RecogniserError>;

    /// One pass for each window; all windows have the same `audio_ctx`. A pass does not depend on the other
    /// windows, nor on earlier calls.
    fn decode(
        &mut self,
        windows: &[&[f32]],
        attempt: &Attempt<'_>,
        cancel: &AtomicBool,
    ) -> Result<Vec<Pass>, RecogniserError>;

    /// Every language with its probability, in no order.
    fn languages(&mut self, pcm: &[f32], cancel: &AtomicBool) -> Result<Vec<(String, f32)>, RecogniserError>;
}

/// One way to decode.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) language: &'a str,
    pub(super) translate: bool,
    pub(super) prompt: &'a [u32],
    pub(super) context: Context,
    pub(super) search: Search,
    /// Also tell when each token ends. whisper.cpp decides that when it loads the weights.
    #[cfg_attr(not(feature = "ctranslate2"), expect(dead_code, reason = "only CTranslate2 reads it"))]
    pub(super) token_times: bool,
}

/// How much silence the encoder sees after the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// As little as is safe: the fast way.
    Shortest,
    /// As much as in Whisper's training.
    Full,
}

/// How the next token is chosen. Both ways give the same text for the same samples, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Search {
    /// The likeliest one.
    Greedy,
    /// The likeliest sequence among so many.
    Beam(usize),
}

/// What one pass over a window gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pass {
    pub(super) tokens: Vec<Token>,
    /// Probability, 0 to 1, that nobody speaks.
    pub(super) no_speech_prob: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) id: u32,
    pub(super) kind: TokenKind,
    pub(super) logprob: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A piece of text, which need not be whole characters; `end` is in seconds, where times were asked for.
    Text {
        bytes: Vec<u8>,
        end: Option<f64>,
    },
    /// A phrase begins or ends at so many seconds.
    Time(f64),
    Control,
}

/// Seconds that one position of the encoder covers.
pub(super) const POSITION_S: f64 = 0.02;

/// Broken characters, where a text ends in the middle of one, show as such.
pub(super) fn text_of(tokens: &[Token]) -> String {
    let mut bytes = Vec::new();
    for token in tokens {
        if let TokenKind::Text { bytes: piece, .. } = &token.kind {
            bytes.extend_from_slice(piece);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
