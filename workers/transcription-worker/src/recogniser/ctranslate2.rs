//! CTranslate2 through ct2rs, a batch of windows at a time. No other module knows either of them.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use ct2rs::{
    ComputeType, Config, Device,
    sys::{Whisper, WhisperOptions},
};

use super::{
    Layout, RecogniserError, SAMPLE_RATE, check_cancelled,
    decoder::{self, Attempt, Context, POSITION_S, Pass, Search},
    quality_gate::Metrics,
    repetition,
};

mod encoder;
mod mel;
mod times;
mod tokens;

use encoder::Encoded;
use mel::Spectrogram;
use tokens::Tokens;

/// The file of a model's folder that tells its tokens.
const TOKENIZER: &str = "tokenizer.json";
/// Positions of the encoder that Whisper was trained with.
const FULL_AUDIO_CTX: usize = 1500;
/// Values of `audio_ctx` that windows are padded to: few enough that chunks of about the same length share one, and go
/// through the decoder together. Ingestion fills its chunks up to what the last but one of them holds; a longer one is
/// a phrase without a pause.
const AUDIO_CTX_BUCKETS: [usize; 5] = [250, 500, 700, 850, 1450];
/// Silence after the samples that the decoder needs to end its sentence, in positions.
const PADDING: usize = 50;
/// Frames of the spectrogram to a position.
const FRAMES_PER_POSITION: usize = 2;

/// A loaded model.
pub(super) struct Weights {
    model: Arc<Model>,
    batch: usize,
}

struct Model {
    folder: PathBuf,
    whisper: Whisper,
    tokens: Tokens,
    spectrogram: Spectrogram,
}

impl Weights {
    /// The sessions share the weights; 8-bit numbers are made of them while they are read.
    pub(super) fn load(folder: &Path, layout: Layout) -> Result<Self, RecogniserError> {
        let unusable = |reason: String| RecogniserError::Weights { path: folder.to_owned(), reason };
        for file in ["model.bin", "config.json", TOKENIZER] {
            if !folder.join(file).is_file() {
                return Err(unusable(format!("it has no {file}")));
            }
        }
        let config = Config {
            device: Device::CPU,
            compute_type: ComputeType::INT8,
            device_indices: vec![0; layout.sessions.max(1)],
            num_threads_per_replica: layout.threads.max(1),
            ..Config::default()
        };
        let whisper = Whisper::new(folder, config).map_err(|error| unusable(error.to_string()))?;
        let tokens = Tokens::read(&folder.join(TOKENIZER), whisper.is_multilingual()).map_err(unusable)?;
        let spectrogram = Spectrogram::new(whisper.n_mels());
        let model = Model { folder: folder.to_owned(), whisper, tokens, spectrogram };
        Ok(Self { model: Arc::new(model), batch: layout.batch.max(1) })
    }
}

impl decoder::Weights for Weights {
    fn program(&self) -> String {
        concat!("ct2rs ", env!("CT2RS_VERSION"), " (CTranslate2 int8)").to_owned()
    }

    fn is_multilingual(&self) -> bool {
        self.model.whisper.is_multilingual()
    }

    fn knows_language(&self, code: &str) -> bool {
        self.model.tokens.know_language(code)
    }

    fn max_batch(&self) -> usize {
        self.batch
    }

    fn takes_any_threads(&self) -> bool {
        false
    }

    fn gives_token_times(&self) -> bool {
        true
    }

    fn audio_ctx(&self, context: Context, samples: usize) -> usize {
        audio_ctx(context, samples)
    }

    fn decoder(&self, _times: bool) -> Result<Box<dyn decoder::Decoder>, RecogniserError> {
        Ok(Box::new(Decoder { model: Arc::clone(&self.model) }))
    }
}

/// Has no state of its own: CTranslate2 hands calls out to its threads.
struct Decoder {
    model: Arc<Model>,
}

impl decoder::Decoder for Decoder {
    fn gives_token_times(&self) -> bool {
        true
    }

    fn set_threads(&mut self, _threads: usize) {}

    fn tokenise(&self, prompt: &str) -> Result<Vec<u32>, RecogniserError> {
        tokens::of_prompt(&self.model.folder.join(TOKENIZER), prompt)
    }

    fn decode(
        &mut self,
        windows: &[&[f32]],
        attempt: &Attempt<'_>,
        cancel: &AtomicBool,
    ) -> Result<Vec<Pass>, RecogniserError> {
        let Model { whisper, tokens, spectrogram, .. } = &*self.model;
        let start = tokens.start(attempt)?;
        let prompt = tokens.prompt(attempt);
        let samples = windows.iter().map(|pcm| pcm.len()).max().unwrap_or_default();
        let mut encoded = Encoded::new(whisper, spectrogram, windows, audio_ctx(attempt.context, samples), cancel)?;
        let encoded = encoded.view()?;
        check_cancelled(cancel)?;
        let options = WhisperOptions {
            beam_size: match attempt.search {
                Search::Greedy => 1,
                Search::Beam(sequences) => sequences,
            },
            return_scores: true,
            return_no_speech_prob: true,
            ..WhisperOptions::default()
        };
        let prompts = vec![prompt; windows.len()];
        let generated = whisper.generate(&encoded, &prompts, &options).map_err(failed("recognising"))?;
        check_cancelled(cancel)?;
        let mut passes: Vec<Pass> = generated.iter().map(|generated| tokens.pass(generated)).collect();
        let to_align: Vec<bool> = passes.iter().map(|pass| attempt.token_times || needs_alignment(pass)).collect();
        if to_align.contains(&true) {
            times::add(&mut passes, &to_align, &encoded, windows, whisper, &start)?;
        }
        Ok(passes)
    }

    fn languages(&mut self, pcm: &[f32], cancel: &AtomicBool) -> Result<Vec<(String, f32)>, RecogniserError> {
        let Model { whisper, spectrogram, .. } = &*self.model;
        let audio_ctx = audio_ctx(Context::Shortest, pcm.len());
        let mut encoded = Encoded::new(whisper, spectrogram, &[pcm], audio_ctx, cancel)?;
        let detected = whisper.detect_language(&encoded.view()?).map_err(failed("detecting the language"))?;
        let named = detected.into_iter().flatten().map(|one| {
            let code = one.language.trim_start_matches("<|").trim_end_matches("|>");
            (code.to_owned(), one.probability)
        });
        Ok(named.collect())
    }
}

/// Whether the score of the text as a whole does not tell if somebody spoke: loops make it high, and times, of which
/// Whisper is less sure, make it low.
fn needs_alignment(pass: &Pass) -> bool {
    let ids: Vec<u32> = pass.tokens.iter().map(|token| token.id).collect();
    let metrics = Metrics::of(pass);
    metrics.has_low_confidence() || metrics.is_repetitive() || repetition::kept(&ids).contains(&false)
}

fn audio_ctx(context: Context, samples: usize) -> usize {
    let spoken = samples.div_ceil((POSITION_S * SAMPLE_RATE as f64) as usize);
    match context {
        Context::Shortest => {
            AUDIO_CTX_BUCKETS.into_iter().find(|audio_ctx| spoken + PADDING <= *audio_ctx).unwrap_or(FULL_AUDIO_CTX)
        }
        Context::Full => FULL_AUDIO_CTX,
    }
}

fn failed<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> RecogniserError {
    move |error| RecogniserError::Failed { doing, reason: error.to_string() }
}
