//! What a user should know of how a chunk was recognised.

use engine::{
    plan::{Chunk, SAMPLE_RATE},
    warning::{Warning, WarningCode},
};

use crate::{languages::Part, recogniser::Recognition};

/// The warnings of a part of a chunk, with the times of the recording.
pub(super) fn warnings(chunk: &Chunk, part: &Part, recognition: &Recognition) -> Vec<Warning> {
    let first = part.samples.start as f64 / f64::from(SAMPLE_RATE);
    let cut = recognition.is_prompt_cut.then(|| Warning {
        code: WarningCode::PromptCut,
        message: "the prompt and the hotwords are longer than what the model takes: the first hotwords and the end of \
                  the prompt were used"
            .to_owned(),
        start: None,
        end: None,
    });
    let unrecognised = recognition.unrecognised.iter().map(|(start, end)| {
        let (start, end) = (chunk.source_time(first + start), chunk.source_time(first + end));
        Warning {
            code: WarningCode::UnrecognisedSpeech,
            message: format!(
                "somebody seems to speak from {start:.1} s to {end:.1} s, and nothing was recognised, also at a second \
                 look: listen to it, or try a larger model"
            ),
            start: Some(start),
            end: Some(end),
        }
    });
    cut.into_iter().chain(unrecognised).collect()
}
