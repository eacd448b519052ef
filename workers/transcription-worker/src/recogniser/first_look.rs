//! Windows of chunks to what is heard in each chunk.

use std::ops::Range;

use super::{
    RecogniserError, Recognition, SAMPLE_RATE, batches,
    decoder::{Context, Weights},
    loudness,
};

/// What is heard in the windows of chunks, each chunk's joined. Those of one `audio_ctx` are decoded together.
pub(super) fn first_look(
    weights: &dyn Weights,
    chunks: &[&[f32]],
    windows: &[Vec<Range<usize>>],
    look: &mut impl FnMut(&[&[f32]]) -> Result<Vec<Recognition>, RecogniserError>,
) -> Result<Vec<Recognition>, RecogniserError> {
    let mut recognised = vec![Recognition::default(); chunks.len()];
    let windows = windows.iter().enumerate().flat_map(|(chunk, windows)| windows.iter().map(move |at| (chunk, at)));
    let windows: Vec<_> = windows.filter(|(chunk, at)| !loudness::is_silent(&chunks[*chunk][(*at).clone()])).collect();
    let audio_ctxs = windows.iter().map(|(_, at)| weights.audio_ctx(Context::Shortest, at.len()));
    // Halves take half of the memory.
    for batch in batches::batches(audio_ctxs, 2 * weights.max_batch()) {
        let pcm: Vec<&[f32]> =
            batch.iter().map(|index| &chunks[windows[*index].0][windows[*index].1.clone()]).collect();
        for (index, heard) in batch.iter().zip(look(&pcm)?) {
            let (chunk, at) = windows[*index];
            recognised[chunk].add_languages(&heard.languages, at.len());
            recognised[chunk].extend(heard, at.start);
        }
    }
    recognised.iter_mut().for_each(Recognition::number);
    recognised.iter_mut().for_each(Recognition::share_out_languages);
    Ok(recognised)
}

impl Recognition {
    /// Adds what was heard from so many samples on.
    pub(super) fn extend(&mut self, later: Recognition, samples: usize) {
        let by = samples as f64 / SAMPLE_RATE as f64;
        self.fallbacks += later.fallbacks;
        self.segments.extend(later.segments.into_iter().map(|mut segment| {
            segment.start += by;
            segment.end += by;
            for word in &mut segment.words {
                word.start += by;
                word.end += by;
            }
            segment
        }));
    }

    /// Adds how likely languages are in so many samples.
    fn add_languages(&mut self, heard: &[(String, f32)], samples: usize) {
        for (language, probability) in heard {
            let likelihood = probability * samples as f32;
            match self.languages.iter_mut().find(|(known, _)| known == language) {
                Some((_, sum)) => *sum += likelihood,
                None => self.languages.push((language.clone(), likelihood)),
            }
        }
    }

    /// Makes probabilities of what was added.
    fn share_out_languages(&mut self) {
        let sum: f32 = self.languages.iter().map(|(_, likelihood)| likelihood).sum();
        self.languages.iter_mut().for_each(|(_, likelihood)| *likelihood /= sum);
    }

    /// Brings the segments into order.
    pub(super) fn number(&mut self) {
        self.segments.sort_by(|left, right| left.start.total_cmp(&right.start));
        for (id, segment) in (0..).zip(&mut self.segments) {
            segment.id = id;
        }
    }
}
