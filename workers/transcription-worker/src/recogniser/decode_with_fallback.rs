//! How often a chunk is decoded: once, unless the text is doubtful.

use std::{cmp::Ordering, sync::atomic::AtomicBool};

use engine::job::SpeechTask;

use super::{
    RecogniseOptions, RecogniserError,
    decoder::{Attempt, Context, Decoder, Pass, Search, Weights},
    quality_gate::{self, Metrics, Quality},
};

/// In the order in which they are tried. None of them is random, so that a chunk that is recognised again, on another
/// day or machine, gives the same text.
const ATTEMPTS: [(Context, Search); 3] =
    [(Context::Shortest, Search::Greedy), (Context::Full, Search::Greedy), (Context::Full, Search::Beam(3))];

/// What is kept of a chunk.
#[derive(Debug)]
pub(super) struct DecodeResult {
    /// None where nobody spoke.
    pub(super) decoded: Option<Decoded>,
    /// Attempts beyond the first.
    pub(super) fallbacks: u32,
}

/// A pass with what tells how good it is.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) pass: Pass,
    pub(super) metrics: Metrics,
}

/// Decodes all chunks at once, and each doubtful one again. They have the same `audio_ctx`.
pub(super) fn decode_with_fallback(
    weights: &dyn Weights,
    decoder: &mut dyn Decoder,
    chunks: &[&[f32]],
    options: &RecogniseOptions,
    cancel: &AtomicBool,
) -> Result<Vec<DecodeResult>, RecogniserError> {
    let prompt = match &options.prompt {
        Some(prompt) => decoder.tokenise(prompt)?,
        None => Vec::new(),
    };
    let translate = options.task == SpeechTask::Translate;
    let attempt = |(context, search)| Attempt {
        language: &options.language,
        translate,
        prompt: &prompt,
        context,
        search,
        token_times: options.words,
    };
    let [first, ..] = ATTEMPTS;
    let passes = decoder.decode(chunks, &attempt(first), cancel)?;
    let results = chunks.iter().zip(passes).map(|(pcm, pass)| {
        let mut fallbacks = fallback_attempts(weights, pcm.len()).map(attempt);
        select(Decoded::new(pass), || {
            let Some(attempt) = fallbacks.next() else { return Ok(None) };
            let pass = decoder.decode(&[pcm], &attempt, cancel)?.pop();
            Ok(pass.map(Decoded::new))
        })
    });
    results.collect()
}

/// The attempts after the first one, without those that would be the same as an earlier one: a chunk can be so long
/// that every context is.
fn fallback_attempts(weights: &dyn Weights, samples: usize) -> impl Iterator<Item = (Context, Search)> {
    let is_same = move |one: (Context, Search), other: (Context, Search)| {
        one.1 == other.1 && weights.audio_ctx(one.0, samples) == weights.audio_ctx(other.0, samples)
    };
    let later = ATTEMPTS.into_iter().enumerate().skip(1);
    later
        .filter(move |(index, attempt)| !ATTEMPTS[..*index].iter().any(|earlier| is_same(*earlier, *attempt)))
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
            Quality::Good => return Ok(DecodeResult { decoded: Some(decoded), fallbacks }),
            Quality::NoSpeech => return Ok(DecodeResult { decoded: None, fallbacks }),
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
    Ok(DecodeResult { decoded, fallbacks })
}

impl Decoded {
    fn new(pass: Pass) -> Self {
        Self { metrics: Metrics::of(&pass), pass }
    }
}

/// A loop is worse than any doubt; else the one with more confidence is better.
fn better(best: Decoded, other: Decoded) -> Decoded {
    let order = best.metrics.is_repetitive().cmp(&other.metrics.is_repetitive());
    let order = order.then(other.metrics.avg_logprob.total_cmp(&best.metrics.avg_logprob));
    if order == Ordering::Greater { other } else { best }
}
