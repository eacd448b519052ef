//! How whisper.cpp is told to decode a window.

use std::collections::HashMap;

use whisper_rs::{FullParams, SamplingStrategy, get_lang_max_id, get_lang_str};

use crate::recogniser::{
    RecogniserError, SAMPLE_RATE,
    decoder::{Attempt, Context, POSITION_S, Search},
};

/// Positions of the encoder that Whisper was trained with.
const FULL_AUDIO_CTX: usize = 1500;
/// whisper.cpp's fast matrix kernels take multiples of so many positions; others cost twice the time.
const KERNEL_BLOCK: usize = 16;

/// whisper-rs leaks the language's name with every set of parameters made for one, so each is made once and then cloned.
#[derive(Default)]
pub(super) struct Parameters {
    made: HashMap<(&'static str, Search), FullParams<'static, 'static>>,
}

impl Parameters {
    /// For a window of so many samples.
    pub(super) fn of<'a>(
        &mut self,
        attempt: &Attempt<'_>,
        samples: usize,
        prompt: &'a [i32],
        threads: usize,
    ) -> Result<FullParams<'a, 'a>, RecogniserError> {
        let language = known_language(attempt.language).ok_or_else(|| RecogniserError::Failed {
            doing: "choosing a language",
            reason: format!("Whisper knows none with the code {:?}", attempt.language),
        })?;
        let common = self.made.entry((language, attempt.search)).or_insert_with(|| common(language, attempt.search));
        let mut parameters: FullParams<'a, 'a> = common.clone();
        parameters.set_n_threads(as_i32(threads));
        parameters.set_translate(attempt.translate);
        parameters.set_audio_ctx(as_i32(audio_ctx(attempt.context, samples)));
        parameters.set_tokens(prompt);
        Ok(parameters)
    }
}

/// The code as whisper.cpp has it, which would also take a language's full name.
pub(super) fn known_language(code: &str) -> Option<&'static str> {
    let languages = (0..=get_lang_max_id()).filter_map(get_lang_str);
    languages.into_iter().find(|language| *language == code)
}

/// Positions of the encoder for so many samples.
pub(super) fn audio_ctx(context: Context, samples: usize) -> usize {
    /// Silence after the samples that the decoder needs to end its sentence.
    const PADDING: usize = 64;
    let spoken = samples.div_ceil((POSITION_S * SAMPLE_RATE as f64) as usize);
    let shortest = (spoken + PADDING).next_multiple_of(KERNEL_BLOCK);
    let blocks = FULL_AUDIO_CTX / KERNEL_BLOCK * KERNEL_BLOCK;
    match context {
        Context::Shortest if shortest < FULL_AUDIO_CTX => shortest,
        _ if spoken <= blocks => blocks,
        _ => FULL_AUDIO_CTX,
    }
}

/// What every decoding has in common. Whisper's own tests are off: ours decide.
fn common(language: &'static str, search: Search) -> FullParams<'static, 'static> {
    const NEVER: f32 = -1e9;
    let mut parameters = FullParams::new(match search {
        Search::Greedy => SamplingStrategy::Greedy { best_of: 1 },
        Search::Beam(beam_size) => SamplingStrategy::BeamSearch { beam_size: as_i32(beam_size), patience: -1.0 },
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

fn as_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
