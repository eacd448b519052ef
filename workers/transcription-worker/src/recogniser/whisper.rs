//! whisper.cpp through whisper-rs, one window at a time. No other module knows either of them.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};

use models::ggml::{Shape, inspect};
use whisper_rs::{
    DtwMode, DtwParameters, WhisperContext, WhisperContextParameters, WhisperError, WhisperState, WhisperTokenData,
    get_lang_str,
};

use super::{
    RecogniserError, SAMPLE_RATE, check_cancelled,
    decoder::{self, Attempt, Context, POSITION_S, Pass, Search, Token, TokenKind},
};

mod alignment;
mod parameters;
mod window;

use parameters::{Parameters, audio_ctx, known_language};
use window::Window;

/// `audio_ctx` of a chunk as ingestion cuts them, but for phrases without a pause.
const ORDINARY_AUDIO_CTX: usize = 864;
/// Shorter audio is padded with silence, for whisper.cpp passes over it.
const SHORTEST_SAMPLES: usize = SAMPLE_RATE;

pub(super) fn is_language(code: &str) -> bool {
    known_language(code).is_some()
}

/// A loaded model.
pub(super) struct Weights {
    path: PathBuf,
    shape: Shape,
    /// None only after loading has failed.
    latest: Mutex<Option<Loaded>>,
}

/// The weights as whisper.cpp holds them.
#[derive(Clone)]
struct Loaded {
    whisper: Arc<WhisperContext>,
    /// Whether decoding also tells when each token ends, which takes a tenth more time.
    gives_token_times: bool,
}

impl Weights {
    pub(super) fn load(path: &Path) -> Result<Self, RecogniserError> {
        whisper_rs::install_logging_hooks();
        let unusable =
            |error: std::io::Error| RecogniserError::Weights { path: path.to_owned(), reason: error.to_string() };
        let shape = inspect(path).map_err(unusable)?;
        let loaded = Loaded::read(path, DtwMode::None)?;
        Ok(Self { path: path.to_owned(), shape, latest: Mutex::new(Some(loaded)) })
    }

    fn latest(&self) -> MutexGuard<'_, Option<Loaded>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl decoder::Weights for Weights {
    fn program(&self) -> String {
        format!("whisper-rs {} (whisper.cpp {})", env!("WHISPER_RS_VERSION"), whisper_rs::WHISPER_CPP_VERSION)
    }

    fn is_multilingual(&self) -> bool {
        self.shape.multilingual
    }

    fn knows_language(&self, code: &str) -> bool {
        languages(&self.shape).any(|known| known == code)
    }

    /// whisper.cpp takes one window at a time.
    fn max_batch(&self) -> usize {
        1
    }

    fn takes_any_threads(&self) -> bool {
        true
    }

    fn gives_token_times(&self) -> bool {
        self.latest().as_ref().is_some_and(|loaded| loaded.gives_token_times)
    }

    fn audio_ctx(&self, context: Context, samples: usize) -> usize {
        audio_ctx(context, samples)
    }

    /// Whether a decoder tells times is decided when whisper.cpp loads the weights, so they are loaded anew for the
    /// first one that does; the others go when they are no longer used.
    fn decoder(&self, times: bool) -> Result<Box<dyn decoder::Decoder>, RecogniserError> {
        let mut latest = self.latest();
        let loaded = match latest.take().filter(|loaded| loaded.gives_token_times || !times) {
            Some(loaded) => loaded,
            None if times => Loaded::read(&self.path, alignment::heads(&self.shape))?,
            None => Loaded::read(&self.path, DtwMode::None)?,
        };
        Ok(Box::new(Decoder::new(latest.insert(loaded).clone(), self.shape)))
    }
}

impl Loaded {
    /// Flash attention stays off: on CPUs it is the slower way, and it cannot give times.
    fn read(path: &Path, times: DtwMode<'_>) -> Result<Self, RecogniserError> {
        let gives_token_times = !matches!(times, DtwMode::None);
        let mut parameters = WhisperContextParameters::default();
        parameters.dtw_parameters(DtwParameters { mode: times, ..DtwParameters::default() });
        let context = WhisperContext::new_with_params(path, parameters).map_err(|_| RecogniserError::Weights {
            path: path.to_owned(),
            reason: "whisper.cpp cannot read it; it may be damaged, so remove it and fetch it again".to_owned(),
        })?;
        Ok(Self { whisper: Arc::new(context), gives_token_times })
    }
}

/// One state of whisper.cpp: decodes one window after the other.
struct Decoder {
    context: Arc<WhisperContext>,
    shape: Shape,
    gives_token_times: bool,
    /// Made when it is needed. One that has held more than an ordinary chunk is not kept, for it would keep the memory.
    state: Option<WhisperState>,
    threads: usize,
    parameters: Parameters,
}

impl decoder::Decoder for Decoder {
    fn gives_token_times(&self) -> bool {
        self.gives_token_times
    }

    fn set_threads(&mut self, threads: usize) {
        self.threads = threads.max(1);
    }

    fn tokenise(&self, prompt: &str) -> Result<Vec<u32>, RecogniserError> {
        // No token is empty, so there are no more of them than bytes.
        let tokens = self.context.tokenize(prompt, prompt.len()).map_err(failed("reading the prompt"))?;
        Ok(tokens.into_iter().map(i32::cast_unsigned).collect())
    }

    fn decode(
        &mut self,
        windows: &[&[f32]],
        attempt: &Attempt<'_>,
        cancel: &AtomicBool,
    ) -> Result<Vec<Pass>, RecogniserError> {
        windows.iter().map(|pcm| self.decode_one(pcm, attempt, cancel)).collect()
    }

    fn languages(&mut self, pcm: &[f32], cancel: &AtomicBool) -> Result<Vec<(String, f32)>, RecogniserError> {
        let attempt = Attempt {
            language: "en",
            translate: false,
            prompt: &[],
            context: Context::Shortest,
            search: Search::Greedy,
            token_times: false,
        };
        // whisper.cpp takes the context's length from a run alone; this one ends before it encodes.
        let parameters = self.parameters.of(&attempt, pcm.len(), &[], self.threads)?;
        let mut state = self.state(attempt.search)?;
        Window::new(cancel, 0).run(&mut state, parameters, &padded(pcm)).map_err(failed("preparing"))?;
        check_cancelled(cancel)?;
        let (_, probabilities) = state.lang_detect(0, self.threads).map_err(failed("detecting the language"))?;
        self.state = Some(state);
        check_cancelled(cancel)?;
        // whisper.cpp gives one to every language that it has heard of, out of another token's where the model has none.
        let named = languages(&self.shape).zip(probabilities);
        Ok(named.map(|(language, probability)| (language.to_owned(), probability)).collect())
    }
}

impl Decoder {
    fn new(loaded: Loaded, shape: Shape) -> Self {
        let Loaded { whisper: context, gives_token_times } = loaded;
        Self { context, shape, gives_token_times, state: None, threads: 1, parameters: Parameters::default() }
    }

    fn decode_one(&mut self, pcm: &[f32], attempt: &Attempt<'_>, cancel: &AtomicBool) -> Result<Pass, RecogniserError> {
        let prompt: Vec<i32> = attempt.prompt.iter().map(|token| token.cast_signed()).collect();
        let parameters = self.parameters.of(attempt, pcm.len(), &prompt, self.threads)?;
        let mut state = self.state(attempt.search)?;
        Window::new(cancel, 1).run(&mut state, parameters, &padded(pcm)).map_err(failed("recognising"))?;
        check_cancelled(cancel)?;
        let tokens = self.tokens(&state)?;
        let no_speech_prob = self.no_speech_prob(&mut state)?;
        self.state = (audio_ctx(attempt.context, pcm.len()) <= ORDINARY_AUDIO_CTX).then_some(state);
        Ok(Pass { tokens, no_speech_prob })
    }

    /// The kept state, or a new one. whisper.cpp samples the sequences of a beam search with a random number
    /// generator that belongs to the state, so such a search begins with a new state; the old one's memory is free
    /// before that takes its own.
    fn state(&mut self, search: Search) -> Result<WhisperState, RecogniserError> {
        let kept = self.state.take().filter(|_| search == Search::Greedy);
        kept.map_or_else(|| self.context.create_state().map_err(failed("making room for a session")), Ok)
    }

    /// The tokens of the latest run. It gives one segment, or none where it found no text.
    fn tokens(&self, state: &WhisperState) -> Result<Vec<Token>, RecogniserError> {
        let Some(segment) = state.get_segment(0) else { return Ok(Vec::new()) };
        let tokens = (0..segment.n_tokens()).filter_map(|index| segment.get_token(index));
        tokens
            .map(|token| {
                let data = token.token_data();
                let kind = match data.id {
                    id if id < self.context.token_eot() => {
                        let bytes = token.to_bytes().map_err(failed("reading the text"))?.to_vec();
                        TokenKind::Text { bytes, end: end_of(&data) }
                    }
                    id if id >= self.context.token_beg() => {
                        TokenKind::Time(f64::from(id - self.context.token_beg()) * POSITION_S)
                    }
                    _ => TokenKind::Control,
                };
                Ok(Token { id: data.id.cast_unsigned(), kind, logprob: data.plog })
            })
            .collect()
    }

    /// Read where Whisper was trained to say it: after the first token. whisper.cpp's own figure is taken after the
    /// last one of the prompt, and is always about 0.
    fn no_speech_prob(&self, state: &mut WhisperState) -> Result<f32, RecogniserError> {
        let first = [self.context.token_sot()];
        state.decode(&first, 0, self.threads).map_err(failed("looking for speech"))?;
        let logits = state.get_logits().map_err(failed("looking for speech"))?;
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = logits.iter().map(|logit| (logit - highest).exp()).sum();
        Ok((logits[self.context.token_nosp() as usize] - highest).exp() / total)
    }
}

/// The languages that a model has tokens for.
fn languages(shape: &Shape) -> impl Iterator<Item = &'static str> {
    (0..shape.languages.cast_signed()).filter_map(get_lang_str)
}

/// In seconds; whisper.cpp has hundredths, and -1 where no times were asked for.
fn end_of(token: &WhisperTokenData) -> Option<f64> {
    (token.t_dtw >= 0).then(|| token.t_dtw as f64 / 100.0)
}

fn padded(pcm: &[f32]) -> Cow<'_, [f32]> {
    if pcm.len() >= SHORTEST_SAMPLES {
        return Cow::Borrowed(pcm);
    }
    let mut padded = pcm.to_vec();
    padded.resize(SHORTEST_SAMPLES, 0.0);
    Cow::Owned(padded)
}

fn failed(doing: &'static str) -> impl Fn(WhisperError) -> RecogniserError {
    move |error| RecogniserError::Failed { doing, reason: error.to_string() }
}
