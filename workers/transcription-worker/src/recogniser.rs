//! Speech to text: samples and options go in, segments with words, probabilities and flags come out.
//!
//! This is the one seam behind which the recognisers sit: [`whisper`] and [`ctranslate2`] are the only modules that
//! know one, and [`decoder`] is what they have in common. Nothing in here knows of jobs, the store or Temporal.
//! Everything blocks, so callers run it on threads of their own.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use engine::{job::SpeechTask, transcript::Segment};

mod batches;
#[cfg(feature = "ctranslate2")]
mod ctranslate2;
mod decode_with_fallback;
mod decoder;
#[cfg(test)]
pub(crate) mod fake;
mod hallucinations;
mod loudness;
mod phrases;
mod quality_gate;
mod repetition;
mod segments;
mod whisper;
mod words;

use decode_with_fallback::{DecodeResult, decode_with_fallback};
use decoder::{Context, Decoder, Weights};

/// The weights of a model in memory. Cheap to clone.
#[derive(Clone)]
pub struct Recogniser {
    weights: Arc<dyn Weights>,
    threads: usize,
}

/// What recognises chunks, one call after the other.
pub struct Session {
    weights: Arc<dyn Weights>,
    /// None only after making one has failed; the next chunk tries again.
    decoder: Option<Box<dyn Decoder>>,
    threads: usize,
}

/// How the work is laid out on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Sessions that are at work at the same time.
    pub sessions: usize,
    /// Threads of each of them.
    pub threads: usize,
    /// The most chunks that a session recognises at once, where the recogniser can.
    pub batch: usize,
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
    /// How often the chunk was decoded again because the text was doubtful.
    pub fallbacks: u32,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum RecogniserError {
    /// The caller set its flag.
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
    /// whisper.cpp with a Whisper model in ggml's format.
    ///
    /// # Errors
    /// [`RecogniserError::Weights`] for a file that cannot be read or is no such model.
    pub fn whisper(weights: &Path, layout: Layout) -> Result<Self, RecogniserError> {
        Ok(Self { weights: Arc::new(whisper::Weights::load(weights)?), threads: layout.threads })
    }

    /// CTranslate2 with a folder that holds a Whisper model in its format, as faster-whisper uses it.
    ///
    /// # Errors
    /// [`RecogniserError::Weights`] for a folder that cannot be read or holds no such model.
    #[cfg(feature = "ctranslate2")]
    pub fn ctranslate2(folder: &Path, layout: Layout) -> Result<Self, RecogniserError> {
        Ok(Self { weights: Arc::new(ctranslate2::Weights::load(folder, layout)?), threads: layout.threads })
    }

    /// The program that recognises, and its version.
    pub fn program(&self) -> String {
        self.weights.program()
    }

    /// Whether the model knows other languages than English.
    pub fn is_multilingual(&self) -> bool {
        self.weights.is_multilingual()
    }

    /// Whether the model has learnt a language for which [`is_language`] holds.
    pub fn knows_language(&self, code: &str) -> bool {
        if self.is_multilingual() { self.weights.knows_language(code) } else { code == "en" }
    }

    /// Whether [`Session::set_threads`] changes anything.
    pub fn takes_any_threads(&self) -> bool {
        self.weights.takes_any_threads()
    }

    /// Which chunks, by their numbers of samples, are best recognised together: each batch is one call of
    /// [`Session::recognise`] and holds the chunks' indices, in order.
    pub fn batches(&self, samples: &[usize]) -> Vec<Vec<usize>> {
        batches::batches(samples.iter().map(|samples| self.audio_ctx(*samples)), self.max_batch())
    }

    /// The most chunks in a batch.
    pub(crate) fn max_batch(&self) -> usize {
        self.weights.max_batch()
    }

    /// What all chunks of a batch have in common, from a chunk's number of samples: positions of the encoder.
    pub(crate) fn audio_ctx(&self, samples: usize) -> usize {
        self.weights.audio_ctx(Context::Shortest, samples)
    }

    /// # Errors
    /// [`RecogniserError::Failed`] where memory is short.
    pub fn session(&self) -> Result<Session, RecogniserError> {
        let decoder = self.weights.decoder(false)?;
        Ok(Session { weights: Arc::clone(&self.weights), decoder: Some(decoder), threads: self.threads })
    }
}

impl Session {
    /// How many threads recognise from now on, in place of the layout's.
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads;
    }

    /// Recognises chunks of at most [`LONGEST_CHUNK_S`] of 16 kHz mono samples, from -1 to 1: those of one batch of
    /// [`Recogniser::batches`]. What is heard in one does not depend on the others.
    ///
    /// # Errors
    /// [`RecogniserError::Cancelled`] soon after `cancel` was set: whisper.cpp stops at the next token, or when the
    /// encoder has finished; CTranslate2 when it has encoded the batch, or decoded it.
    pub fn recognise(
        &mut self,
        chunks: &[&[f32]],
        options: &RecogniseOptions,
        cancel: &AtomicBool,
    ) -> Result<Vec<Recognition>, RecogniserError> {
        chunks.iter().try_for_each(|pcm| check_length(pcm))?;
        check_cancelled(cancel)?;
        let is_audible = |(_, pcm): &(usize, &[f32])| !loudness::is_silent(pcm);
        let (indices, audible): (Vec<usize>, Vec<&[f32]>) =
            chunks.iter().copied().enumerate().filter(is_audible).unzip();
        let mut recognised = vec![Recognition::default(); chunks.len()];
        if !audible.is_empty() {
            let weights = Arc::clone(&self.weights);
            let decoder = self.decoder(options.words)?;
            let results = decode_with_fallback(&*weights, decoder, &audible, options, cancel)?;
            for (index, result) in indices.into_iter().zip(results) {
                recognised[index] = recognition(result, chunks[index], options);
            }
        }
        Ok(recognised)
    }

    /// The decoder, made anew where it gives no times and they are wanted, or others have begun to give them. The old
    /// one's memory is free before the new one takes its own.
    fn decoder(&mut self, with_times: bool) -> Result<&mut dyn Decoder, RecogniserError> {
        let is_outdated = with_times || self.weights.gives_token_times();
        let kept = self.decoder.take().filter(|decoder| decoder.gives_token_times() || !is_outdated);
        let mut decoder = match kept {
            Some(decoder) => decoder,
            None => self.weights.decoder(with_times)?,
        };
        decoder.set_threads(self.threads);
        Ok(self.decoder.insert(decoder).as_mut())
    }

    /// Codes of languages with their probabilities, the likeliest first.
    ///
    /// # Errors
    /// As for [`Session::recognise`].
    pub fn detect_language(&mut self, pcm: &[f32], cancel: &AtomicBool) -> Result<Vec<(String, f32)>, RecogniserError> {
        check_length(pcm)?;
        check_cancelled(cancel)?;
        if !self.weights.is_multilingual() {
            return Ok(vec![("en".to_owned(), 1.0)]);
        }
        let mut languages = self.decoder(false)?.languages(pcm, cancel)?;
        languages.sort_by(|(_, left), (_, right)| right.total_cmp(left));
        Ok(languages)
    }
}

fn recognition(result: DecodeResult, pcm: &[f32], options: &RecogniseOptions) -> Recognition {
    let DecodeResult { decoded, fallbacks } = result;
    let segments = decoded.map_or_else(Vec::new, |decoded| {
        let phrases = phrases::phrases(&decoded.pass, pcm.len());
        let phrases = if decoded.metrics.is_repetitive() { repetition::collapse(phrases) } else { phrases };
        segments::finish(phrases, &decoded, options.words.then_some(pcm), &options.language)
    });
    Recognition { segments, fallbacks }
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

fn check_cancelled(cancel: &AtomicBool) -> Result<(), RecogniserError> {
    if cancel.load(Ordering::Relaxed) { Err(RecogniserError::Cancelled) } else { Ok(()) }
}
