//! A chunk in pieces of a few seconds, cut where it is quiet: languages change between sentences.

use std::ops::Range;

use engine::plan::SAMPLE_RATE;

/// Samples of one moment: 10 ms.
const MOMENT: usize = SAMPLE_RATE as usize / 100;
/// Moments over which it has to be quiet.
const PAUSE: usize = 20;
/// Moments of the shortest and the longest piece. Less tells too little, and more may have two languages in it.
const SHORTEST: usize = 200;
const LONGEST: usize = 400;

/// The pieces in order, without gaps; what is no longer than a piece is one.
pub(crate) fn pieces(pcm: &[f32]) -> Vec<Range<usize>> {
    let power = power(pcm);
    let mut cuts = vec![0];
    let mut last = 0;
    while power.len() - last > LONGEST {
        let candidates = last + SHORTEST..(last + LONGEST).min(power.len() - SHORTEST).max(last + SHORTEST + 1);
        last = quietest(&power, candidates);
        cuts.push(last * MOMENT);
    }
    cuts.push(pcm.len());
    cuts.windows(2).map(|cut| cut[0]..cut[1]).collect()
}

/// Mean squares, moment by moment.
fn power(pcm: &[f32]) -> Vec<f32> {
    pcm.chunks(MOMENT).map(|moment| moment.iter().map(|sample| sample * sample).sum::<f32>() / MOMENT as f32).collect()
}

/// The first moment in whose surroundings it is most quiet.
fn quietest(power: &[f32], candidates: Range<usize>) -> usize {
    let loudness = |moment: usize| {
        let around = moment.saturating_sub(PAUSE / 2)..(moment + PAUSE / 2).min(power.len());
        power[around].iter().sum::<f32>()
    };
    let first = candidates.start;
    candidates.reduce(|best, next| if loudness(next) < loudness(best) { next } else { best }).unwrap_or(first)
}
