//! whisper.cpp through whisper-rs, one window at a time. No other module knows either of them.
//!
//! It decodes and measures; what to make of the outcome is for [`super::looks`] to say.

use std::{
    borrow::Cow,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use engine::assets::ggml::{Shape, inspect};
use whisper_rs::{
    DtwMode, DtwParameters, FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError,
    WhisperState, WhisperTokenData, get_lang_max_id, get_lang_str,
};

use super::{RecogniserError, SAMPLE_RATE, stop_if_raised};

mod alignment;
mod window;

use window::Window;

/// Seconds that one position of the encoder covers.
const POSITION_S: f64 = 0.02;
/// whisper.cpp's fast matrix kernels take multiples of so many positions; others cost twice the time.
const BLOCK: i32 = 16;
/// Shorter sound is padded with silence, for the recogniser gives none of it a thought.
const SHORTEST: usize = SAMPLE_RATE;

pub(super) fn name() -> String {
    format!("whisper-rs 0.16 (whisper.cpp {})", whisper_rs::WHISPER_CPP_VERSION)
}

pub(super) fn is_language(code: &str) -> bool {
    known_language(code).is_some()
}

/// The code as whisper.cpp has it, which would also take a language's full name.
fn known_language(code: &str) -> Option<&'static str> {
    let languages = (0..=get_lang_max_id()).filter_map(get_lang_str);
    languages.into_iter().find(|language| *language == code)
}

/// A loaded model. Cheap to clone.
#[derive(Clone)]
pub(super) struct Weights {
    path: PathBuf,
    shape: Shape,
    threads: i32,
    /// None only after loading has failed.
    latest: Arc<Mutex<Option<Context>>>,
}

/// The weights as whisper.cpp holds them.
#[derive(Clone)]
struct Context {
    whisper: Arc<WhisperContext>,
    /// Whether decoding also tells when each token ends, which takes a tenth more time.
    gives_times: bool,
}

impl Weights {
    pub(super) fn load(path: &Path, threads: usize) -> Result<Self, RecogniserError> {
        whisper_rs::install_logging_hooks();
        let unusable =
            |error: std::io::Error| RecogniserError::Weights { path: path.to_owned(), reason: error.to_string() };
        let shape = inspect(path).map_err(unusable)?;
        let context = Context::load(path, DtwMode::None)?;
        let threads = i32::try_from(threads.max(1)).unwrap_or(i32::MAX);
        Ok(Self { path: path.to_owned(), shape, threads, latest: Arc::new(Mutex::new(Some(context))) })
    }

    pub(super) fn is_multilingual(&self) -> bool {
        self.shape.multilingual
    }

    pub(super) fn decoder(&self) -> Result<Decoder, RecogniserError> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let context = match latest.take() {
            Some(context) => context,
            None => Context::load(&self.path, DtwMode::None)?,
        };
        Ok(Decoder::new(latest.insert(context).clone(), self.threads))
    }

    /// A decoder that tells when each token ends. whisper.cpp settles that when it loads weights, so
    /// they are loaded anew for the first such decoder; the others go when they are no longer used.
    pub(super) fn decoder_with_times(&self) -> Result<Decoder, RecogniserError> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let context = match latest.take().filter(|context| context.gives_times) {
            Some(context) => context,
            None => Context::load(&self.path, alignment::heads(&self.shape))?,
        };
        Ok(Decoder::new(latest.insert(context).clone(), self.threads))
    }
}

impl Context {
    /// Flash attention stays off: on processors it is the slower way, and it cannot give times.
    fn load(path: &Path, times: DtwMode<'_>) -> Result<Self, RecogniserError> {
        let gives_times = !matches!(times, DtwMode::None);
        let mut parameters = WhisperContextParameters::default();
        parameters.dtw_parameters(DtwParameters { mode: times, ..DtwParameters::default() });
        let context = WhisperContext::new_with_params(path, parameters).map_err(|_| RecogniserError::Weights {
            path: path.to_owned(),
            reason: "whisper.cpp cannot read it; it may be damaged, so remove it and fetch it again".to_owned(),
        })?;
        Ok(Self { whisper: Arc::new(context), gives_times })
    }
}

/// How the next token is chosen. Both ways give the same text for the same samples, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Search {
    /// The likeliest one.
    Greedy,
    /// The likeliest sequence among so many.
    Beam(i32),
}

/// One way to decode.
pub(super) struct Attempt<'a> {
    pub(super) language: &'a str,
    pub(super) translate: bool,
    pub(super) prompt: &'a [i32],
    /// Positions of the encoder, as [`Decoder::shortest_context`] or [`Decoder::full_context`] gives them.
    pub(super) context: i32,
    pub(super) search: Search,
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
    /// A piece of text, which need not be whole characters; `end` is in seconds, from a decoder with times only.
    Text {
        bytes: Vec<u8>,
        end: Option<f64>,
    },
    /// A phrase begins or ends at so many seconds.
    Time(f64),
    Control,
}

/// One state of whisper.cpp: decodes one window after the other.
pub(super) struct Decoder {
    context: Arc<WhisperContext>,
    gives_times: bool,
    /// Made when it is first needed.
    state: Option<WhisperState>,
    threads: i32,
    /// whisper-rs leaks the language's name with every set of parameters made for one, so each is
    /// made once and then cloned.
    parameters: HashMap<(&'static str, Search), FullParams<'static, 'static>>,
}

impl Decoder {
    fn new(context: Context, threads: i32) -> Self {
        let Context { whisper: context, gives_times } = context;
        Self { context, gives_times, state: None, threads, parameters: HashMap::new() }
    }

    pub(super) fn gives_times(&self) -> bool {
        self.gives_times
    }

    /// The prompt's tokens, for [`Attempt::prompt`].
    pub(super) fn tokenise(&self, prompt: &str) -> Result<Vec<i32>, RecogniserError> {
        // No token is empty, so there are no more of them than bytes.
        self.context.tokenize(prompt, prompt.len()).map_err(failed("reading the prompt"))
    }

    /// Positions that hold so many samples, and enough silence behind them for the decoder to end
    /// its sentence.
    pub(super) fn shortest_context(&self, samples: usize) -> i32 {
        const SLACK: i32 = 64;
        let rounded = (positions(samples) + SLACK + BLOCK - 1) / BLOCK * BLOCK;
        if rounded < self.context.n_audio_ctx() { rounded } else { self.full_context(samples) }
    }

    /// All positions of the model, or nearly so where that holds the samples, too.
    pub(super) fn full_context(&self, samples: usize) -> i32 {
        let all = self.context.n_audio_ctx();
        let blocks = all / BLOCK * BLOCK;
        if positions(samples) <= blocks { blocks } else { all }
    }

    /// Decodes a window.
    pub(super) fn decode(
        &mut self,
        pcm: &[f32],
        attempt: &Attempt<'_>,
        cancel: &AtomicBool,
    ) -> Result<Pass, RecogniserError> {
        let parameters = self.parameters(attempt)?;
        let mut state = self.state(attempt.search)?;
        Window::new(cancel, 1).run(&mut state, parameters, &padded(pcm)).map_err(failed("recognising"))?;
        stop_if_raised(cancel)?;
        let tokens = self.tokens(&state)?;
        let no_speech_prob = self.no_speech_prob(&mut state)?;
        self.state = Some(state);
        Ok(Pass { tokens, no_speech_prob })
    }

    /// The kept state, or a new one. whisper.cpp draws the sequences of a beam search by lot, from numbers that a
    /// state begins with and goes on through, so such a search begins with a new state; the old one's memory is free
    /// before that takes its own.
    fn state(&mut self, search: Search) -> Result<WhisperState, RecogniserError> {
        let kept = self.state.take().filter(|_| search == Search::Greedy);
        kept.map_or_else(|| self.context.create_state().map_err(failed("making room for a session")), Ok)
    }

    /// Every language with its probability, in no order.
    pub(super) fn languages(
        &mut self,
        pcm: &[f32],
        cancel: &AtomicBool,
    ) -> Result<Vec<(String, f32)>, RecogniserError> {
        if !self.context.is_multilingual() {
            return Ok(vec![("en".to_owned(), 1.0)]);
        }
        let context = self.shortest_context(pcm.len());
        let attempt = Attempt { language: "en", translate: false, prompt: &[], context, search: Search::Greedy };
        // whisper.cpp takes the context's length from a run alone; this one ends before it encodes.
        let parameters = self.parameters(&attempt)?;
        let mut state = self.state(attempt.search)?;
        Window::new(cancel, 0).run(&mut state, parameters, &padded(pcm)).map_err(failed("preparing"))?;
        stop_if_raised(cancel)?;
        let (_, probabilities) =
            state.lang_detect(0, self.threads as usize).map_err(failed("detecting the language"))?;
        self.state = Some(state);
        stop_if_raised(cancel)?;
        let named = (0..).zip(probabilities).filter_map(|(id, probability)| Some((get_lang_str(id)?, probability)));
        Ok(named.map(|(language, probability)| (language.to_owned(), probability)).collect())
    }

    /// What every decoding has in common. Whisper's own tests are off: ours decide.
    fn parameters<'a>(&mut self, attempt: &Attempt<'a>) -> Result<FullParams<'a, 'a>, RecogniserError> {
        let language = known_language(attempt.language).ok_or_else(|| RecogniserError::Failed {
            doing: "choosing a language",
            reason: format!("Whisper knows none with the code {:?}", attempt.language),
        })?;
        let common =
            self.parameters.entry((language, attempt.search)).or_insert_with(|| common(language, attempt.search));
        let mut parameters: FullParams<'a, 'a> = common.clone();
        parameters.set_n_threads(self.threads);
        parameters.set_translate(attempt.translate);
        parameters.set_audio_ctx(attempt.context);
        parameters.set_tokens(attempt.prompt);
        Ok(parameters)
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

    /// Read where Whisper was trained to say it: behind the first token. whisper.cpp's own figure
    /// is taken behind the last one of the prompt, and is always about 0.
    fn no_speech_prob(&self, state: &mut WhisperState) -> Result<f32, RecogniserError> {
        let first = [self.context.token_sot()];
        state.decode(&first, 0, self.threads as usize).map_err(failed("looking for speech"))?;
        let logits = state.get_logits().map_err(failed("looking for speech"))?;
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f32 = logits.iter().map(|logit| (logit - highest).exp()).sum();
        Ok((logits[self.context.token_nosp() as usize] - highest).exp() / total)
    }
}

fn common(language: &'static str, search: Search) -> FullParams<'static, 'static> {
    const NEVER: f32 = -1e9;
    let mut parameters = FullParams::new(match search {
        Search::Greedy => SamplingStrategy::Greedy { best_of: 1 },
        Search::Beam(beam_size) => SamplingStrategy::BeamSearch { beam_size, patience: -1.0 },
    });
    parameters.set_language(Some(language));
    parameters.set_no_context(true);
    // One window is one segment; its time tokens are read by `segments`.
    parameters.set_single_segment(true);
    parameters.set_suppress_nst(true);
    parameters.set_temperature_inc(0.0);
    parameters.set_entropy_thold(NEVER);
    parameters.set_logprob_thold(NEVER);
    parameters.set_no_speech_thold(f32::MAX);
    parameters.set_print_special(false);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_timestamps(false);
    parameters
}

/// In seconds; whisper.cpp has hundredths, and -1 where no times were asked for.
fn end_of(token: &WhisperTokenData) -> Option<f64> {
    (token.t_dtw >= 0).then(|| token.t_dtw as f64 / 100.0)
}

fn positions(samples: usize) -> i32 {
    samples.div_ceil((POSITION_S * SAMPLE_RATE as f64) as usize) as i32
}

fn padded(pcm: &[f32]) -> Cow<'_, [f32]> {
    if pcm.len() >= SHORTEST {
        return Cow::Borrowed(pcm);
    }
    let mut padded = pcm.to_vec();
    padded.resize(SHORTEST, 0.0);
    Cow::Owned(padded)
}

fn failed(doing: &'static str) -> impl Fn(WhisperError) -> RecogniserError {
    move |error| RecogniserError::Failed { doing, reason: error.to_string() }
}
