//! Speech to text: samples and options go in, segments with words, probabilities and flags come out.
//!
//! This is the one seam behind which a recogniser sits; only [`whisper`] knows which one it is.
//! Nothing in here knows of jobs, the store or Temporal. Everything blocks, so callers run it on
//! threads of their own.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use engine::{job::SpeechTask, transcript::Segment};

mod judge;
mod looks;
mod loudness;
mod phrases;
mod repetition;
mod segments;
mod whisper;
mod words;

/// The weights of a model in memory. Cheap to clone.
#[derive(Clone)]
pub struct Recogniser {
    weights: whisper::Weights,
}

/// What one slot needs to recognise chunks, one after the other.
pub struct Session {
    weights: whisper::Weights,
    /// None only after making one has failed; the next chunk tries again.
    decoder: Option<whisper::Decoder>,
}

/// How to recognise a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecogniseOptions {
    /// A code for which [`is_language`] holds.
    pub language: String,
    pub task: SpeechTask,
    /// Text that leads the recogniser: names, spelling, style.
    pub prompt: Option<String>,
    /// Also give the time of every word.
    pub words: bool,
}

/// What was heard in a chunk; no segments where nobody spoke.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recognition {
    /// In order; times are in seconds of the samples that were given.
    pub segments: Vec<Segment>,
    /// How often the chunk was decoded again because the text failed the tests.
    pub fallbacks: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum RecogniserError {
    /// The caller's flag went up.
    #[error("cancelled")]
    Cancelled,
    #[error("{path} cannot be used as a speech model: {reason}")]
    Weights { path: PathBuf, reason: String },
    #[error("the recogniser failed while {doing}: {reason}")]
    Failed { doing: &'static str, reason: String },
}

/// Seconds that the recogniser hears at once.
pub const LONGEST_CHUNK_S: usize = 30;

const SAMPLE_RATE: usize = engine::plan::SAMPLE_RATE as usize;

impl Recogniser {
    /// Reads a Whisper model in ggml's format. Each session uses so many `threads`.
    ///
    /// # Errors
    /// [`RecogniserError::Weights`] for a file that cannot be read or is no such model.
    pub fn load(weights: &Path, threads: usize) -> Result<Self, RecogniserError> {
        Ok(Self { weights: whisper::Weights::load(weights, threads)? })
    }

    /// The program that recognises, and its version.
    pub fn name() -> String {
        whisper::name()
    }

    /// Whether the model knows other languages than English.
    pub fn is_multilingual(&self) -> bool {
        self.weights.is_multilingual()
    }

    /// # Errors
    /// [`RecogniserError::Failed`] where memory is short.
    pub fn session(&self) -> Result<Session, RecogniserError> {
        let decoder = self.weights.decoder()?;
        Ok(Session { weights: self.weights.clone(), decoder: Some(decoder) })
    }
}

impl Session {
    /// Recognises at most [`LONGEST_CHUNK_S`] of 16 kHz mono samples, from -1 to 1.
    ///
    /// # Errors
    /// [`RecogniserError::Cancelled`] soon after `cancel` was raised: at the next token, or when
    /// the encoder is through, which is not interrupted.
    pub fn recognise(
        &mut self,
        pcm: &[f32],
        options: &RecogniseOptions,
        cancel: &AtomicBool,
    ) -> Result<Recognition, RecogniserError> {
        check_length(pcm)?;
        stop_if_raised(cancel)?;
        if loudness::is_silent(pcm) {
            return Ok(Recognition::default());
        }
        let (heard, fallbacks) = looks::listen(self.decoder(options.words)?, pcm, options, cancel)?;
        let segments = heard.map_or_else(Vec::new, |heard| {
            let phrases = segments::phrases(&heard.pass, pcm.len());
            let phrases = if heard.measures.repeats() { repetition::collapse(phrases) } else { phrases };
            segments::finish(phrases, &heard, options.words.then_some(pcm), &options.language)
        });
        Ok(Recognition { segments, fallbacks })
    }

    /// The decoder, made anew where times are wanted and it gives none. The old one's memory is free before the new
    /// one takes its own.
    fn decoder(&mut self, with_times: bool) -> Result<&mut whisper::Decoder, RecogniserError> {
        let kept = self.decoder.take().filter(|decoder| decoder.gives_times() || !with_times);
        let decoder = match kept {
            Some(decoder) => decoder,
            None if with_times => self.weights.decoder_with_times()?,
            None => self.weights.decoder()?,
        };
        Ok(self.decoder.insert(decoder))
    }

    /// Codes of languages with their probabilities, the likeliest first.
    ///
    /// # Errors
    /// As for [`Session::recognise`].
    pub fn detect_language(&mut self, pcm: &[f32], cancel: &AtomicBool) -> Result<Vec<(String, f32)>, RecogniserError> {
        check_length(pcm)?;
        stop_if_raised(cancel)?;
        let mut languages = self.decoder(false)?.languages(pcm, cancel)?;
        languages.sort_by(|(_, left), (_, right)| right.total_cmp(left));
        Ok(languages)
    }
}

/// Whether Whisper knows a language by this code.
pub fn is_language(code: &str) -> bool {
    whisper::is_language(code)
}

fn check_length(pcm: &[f32]) -> Result<(), RecogniserError> {
    if pcm.len() <= LONGEST_CHUNK_S * SAMPLE_RATE {
        return Ok(());
    }
    let seconds = pcm.len() / SAMPLE_RATE;
    let reason = format!("the chunk has {seconds} s, and no more than {LONGEST_CHUNK_S} s are heard at once");
    Err(RecogniserError::Failed { doing: "taking a chunk in", reason })
}

fn stop_if_raised(cancel: &AtomicBool) -> Result<(), RecogniserError> {
    if cancel.load(Ordering::Relaxed) { Err(RecogniserError::Cancelled) } else { Ok(()) }
}
