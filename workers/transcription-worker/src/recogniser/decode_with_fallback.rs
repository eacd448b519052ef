//! How often a chunk is decoded: once, unless the text is doubtful.

use std::{cmp::Ordering, sync::atomic::AtomicBool};

use engine::job::SpeechTask;

use super::{
    RecogniseOptions, RecogniserError,
    decoder::{Attempt, Context, Decoder, Pass, Search, Weights},
    is_in_another_language,
    prompt::Prompt,
    quality_gate::{self, Metrics, Quality},
};

/// Sequences of the last attempt.
const BEAMS: usize = 3;

/// What is kept of a chunk.
#[derive(Debug)]
pub(super) struct DecodeResult {
    /// None where nobody spoke.
    pub(super) decoded: Option<Decoded>,
    /// Attempts beyond the first.
    pub(super) fallbacks: u32,
    /// As in the [`Pass`] of the first attempt.
    pub(super) languages: Vec<(String, f32)>,
}

/// A pass with what tells how good it is.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) pass: Pass,
    pub(super) metrics: Metrics,
    is_echo: bool,
}

/// Decodes all chunks at once, and each doubtful one again. They have the same `audio_ctx`. Only the first attempt is led
/// by the prompt, for that may be what the doubtful text comes from.
pub(super) fn decode_with_fallback(
    weights: &dyn Weights,
    decoder: &mut dyn Decoder,
    chunks: &[&[f32]],
    prompt: &Prompt,
    options: &RecogniseOptions,
    cancel: &AtomicBool,
) -> Result<Vec<DecodeResult>, RecogniserError> {
    let attempt = |(context, search)| Attempt {
        language: &options.language,
        translate: options.task == SpeechTask::Translate,
        prompt: &[],
        context,
        search,
        token_times: options.words,
        languages: false,
    };
    let [first, ..] = attempts(weights);
    let led = Attempt { prompt: &prompt.tokens, languages: options.languages, ..attempt(first) };
    let passes = decoder.decode(chunks, &led, cancel)?;
    let results = chunks.iter().zip(passes).map(|(pcm, mut pass)| {
        let languages = std::mem::take(&mut pass.languages);
        // What is spoken in another language is worth no second look in this one.
        let looks = if is_in_another_language(&languages, &options.language) { 0 } else { usize::MAX };
        let unled = (!prompt.is_empty()).then_some(first);
        let later = unled.into_iter().chain(fallback_attempts(weights, pcm.len()));
        let mut fallbacks = later.map(attempt).take(looks);
        let is_echo = prompt.is_echoed_by(&pass);
        let result = select(Decoded::new(pass, is_echo), || {
            let Some(attempt) = fallbacks.next() else { return Ok(None) };
            let pass = decoder.decode(&[pcm], &attempt, cancel)?.pop();
            Ok(pass.map(|pass| Decoded::new(pass, false)))
        });
        Ok(DecodeResult { languages, ..result? })
    });
    results.collect()
}

/// In the order in which they are tried. None of them is random, so that a chunk that is recognised again, on another
/// day or machine, gives the same text.
fn attempts(weights: &dyn Weights) -> [(Context, Search); 3] {
    [(Context::Shortest, weights.search()), (Context::Full, Search::Greedy), (Context::Full, Search::Beam(BEAMS))]
}

/// The attempts after the first one, without those that would be the same as an earlier one: a chunk can be so long
/// that every context is.
fn fallback_attempts(weights: &dyn Weights, samples: usize) -> impl Iterator<Item = (Context, Search)> {
    let is_same = move |one: (Context, Search), other: (Context, Search)| {
        one.1 == other.1 && weights.audio_ctx(one.0, samples) == weights.audio_ctx(other.0, samples)
    };
    let attempts = attempts(weights);
    let later = attempts.into_iter().enumerate().skip(1);
    later
        .filter(move |(index, attempt)| !attempts[..*index].iter().any(|earlier| is_same(*earlier, *attempt)))
        .map(|(_, attempt)| attempt)
}

/// The first pass that is good enough, else the best one. `retry` gives further ones, while there are.
fn select(
    first: Decoded,
    mut retry: impl FnMut() -> Result<Option<Decoded>, RecogniserError>,
) -> Result<DecodeResult, RecogniserError> {
    let is_guesswork = quality_gate::is_guesswork(&first.metrics);
    let mut best: Option<Decoded> = None;
    let mut next = Some(first);
    let mut fallbacks = 0;
    while let Some(decoded) = next {
        match quality_gate::assess(&decoded.pass, &decoded.metrics) {
            Quality::Good if decoded.is_echo => {}
            Quality::Good => return Ok(DecodeResult::of(Some(decoded), fallbacks)),
            Quality::NoSpeech => return Ok(DecodeResult::of(None, fallbacks)),
            Quality::Doubtful => {}
        }
        best = Some(match best {
            Some(best) => better(best, decoded),
            None => decoded,
        });
        next = retry()?;
        fallbacks += u32::from(next.is_some());
    }
    let decoded = best.filter(|best| !is_guesswork && quality_gate::is_acceptable(&best.pass, &best.metrics));
    Ok(DecodeResult::of(decoded, fallbacks))
}

impl DecodeResult {
    fn of(decoded: Option<Decoded>, fallbacks: u32) -> Self {
        Self { decoded, fallbacks, languages: Vec::new() }
    }
}

impl Decoded {
    fn new(pass: Pass, is_echo: bool) -> Self {
        Self { metrics: Metrics::of(&pass), pass, is_echo }
    }
}

/// An echo is worse than a loop, and a loop worse than any doubt; else the one with more confidence is better.
fn better(best: Decoded, other: Decoded) -> Decoded {
    let order = best.is_echo.cmp(&other.is_echo);
    let order = order.then(best.metrics.is_repetitive().cmp(&other.metrics.is_repetitive()));
    let order = order.then(best.metrics.loops.cmp(&other.metrics.loops));
    let order = order.then(other.metrics.avg_logprob.total_cmp(&best.metrics.avg_logprob));
    if order == Ordering::Greater { other } else { best }
}
