//! When each token was said, and how sure of it the model was.

use ct2rs::sys::{StorageView, Whisper, WhisperAlignmentResult};

use super::{
    super::{
        RecogniserError,
        decoder::{POSITION_S, Pass, Token, TokenKind},
    },
    FRAMES_PER_POSITION, SAMPLE_RATE, failed,
};

/// Positions over which the attention is smoothed; as OpenAI's own program has it.
const MEDIAN_FILTER_WIDTH: i64 = 7;

/// Adds ends and log-probabilities to the text tokens of those passes over encoded windows that `to_align` names. The
/// others keep what they would have if they had been decoded alone.
pub(super) fn add(
    passes: &mut [Pass],
    to_align: &[bool],
    encoded: &StorageView<'_>,
    windows: &[&[f32]],
    whisper: &Whisper,
    start: &[usize],
) -> Result<(), RecogniserError> {
    // CTranslate2 aligns all windows of a batch or none, and takes no empty text.
    let texts: Vec<Vec<usize>> =
        passes.iter().map(|pass| text(pass).map(|token| token.id as usize).collect()).collect();
    if texts.iter().all(Vec::is_empty) {
        return Ok(());
    }
    let filler = texts.iter().find(|text| !text.is_empty()).cloned().unwrap_or_default();
    let texts: Vec<Vec<usize>> =
        texts.into_iter().map(|text| if text.is_empty() { filler.clone() } else { text }).collect();
    let frames: Vec<usize> = windows.iter().map(|pcm| frames(pcm.len())).collect();
    let aligned =
        whisper.align(encoded, start, &texts, &frames, MEDIAN_FILTER_WIDTH).map_err(failed("timing words"))?;
    for ((pass, aligned), _) in passes.iter_mut().zip(aligned).zip(to_align).filter(|(_, to_align)| **to_align) {
        let ends = ends(&aligned);
        let texts = pass.tokens.iter_mut().filter(|token| matches!(token.kind, TokenKind::Text { .. }));
        for (index, token) in texts.enumerate() {
            let TokenKind::Text { end, .. } = &mut token.kind else { continue };
            *end = ends.get(index).copied();
            token.logprob = aligned.text_token_probs.get(index).map_or(token.logprob, |probability| probability.ln());
        }
    }
    Ok(())
}

fn text(pass: &Pass) -> impl Iterator<Item = &Token> {
    pass.tokens.iter().filter(|token| matches!(token.kind, TokenKind::Text { .. }))
}

/// Frames of the spectrogram that hold the samples, at least one position.
fn frames(samples: usize) -> usize {
    let position = (POSITION_S * SAMPLE_RATE as f64) as usize;
    samples.div_ceil(position).max(1) * FRAMES_PER_POSITION
}

/// In seconds, token by token: one ends where the path through the attention comes to the next.
fn ends(aligned: &WhisperAlignmentResult) -> Vec<f64> {
    let steps = aligned.alignments.windows(2);
    let next = steps.filter(|step| step[1].token_x != step[0].token_x).map(|step| step[1].frame_x);
    next.map(|position| position as f64 * POSITION_S).collect()
}
