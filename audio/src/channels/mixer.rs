//! Two sides as one, so that nothing that is said on either cancels itself out.
//!
//! A side that is the other one upside down, as a microphone that is wired the wrong way makes it, is turned before it is
//! added. That is decided block by block and not once for a recording: files are joined of several, and a decision that is
//! late costs words.

use super::{BLOCK, pair_statistics::PairStatistics};

/// The sides are alike but opposed: below this likeness one is turned.
const OPPOSED: f32 = -0.5;
/// Above this one it is turned back.
const NOT_OPPOSED: f32 = -0.2;
/// A block that cancels itself is turned whatever came before it.
const CANCELS: f32 = -0.9;
/// What is kept of the statistics from one block to the next: they are of about the last second.
const KEPT: f32 = 0.97;
/// A side whose energy is this part of the other's is added and does not halve it: -40 dB.
const MUCH_FAINTER: f32 = 1e-4;

#[derive(Debug, Default)]
pub(super) struct Mixer {
    recent: PairStatistics,
    is_opposed: bool,
    /// Of the left and of the right side, at the end of the last block.
    gains: Option<[f32; 2]>,
    /// Blocks with sound in them in which a side was turned.
    pub(super) turned: u64,
}

impl Mixer {
    /// Adds a block of both sides, appending to `mix`. Blocks are of [`BLOCK`] samples, but for the last one.
    pub(super) fn push(&mut self, left: &[f32], right: &[f32], mix: &mut Vec<f32>) {
        let block = PairStatistics::of(left, right);
        self.recent = self.recent.faded(KEPT).with(block);
        let likeness = self.recent.likeness();
        self.is_opposed = likeness < if self.is_opposed { NOT_OPPOSED } else { OPPOSED };
        let is_turned = self.is_opposed || block.likeness() < CANCELS;
        self.turned += u64::from(is_turned && block.is_audible());
        let wanted = self.wanted(is_turned);
        let from = self.gains.replace(wanted).unwrap_or(wanted);
        mix.extend(left.iter().zip(right).enumerate().map(|(at, (left, right))| {
            let [one, other] = ramp(from, wanted, at);
            left * one + right * other
        }));
    }

    fn wanted(&self, is_turned: bool) -> [f32; 2] {
        let PairStatistics { left, right, .. } = self.recent;
        let one_is_faint = left < MUCH_FAINTER * right || right < MUCH_FAINTER * left;
        let gain = if one_is_faint { 1.0 } else { 0.5 };
        [gain, if is_turned { -gain } else { gain }]
    }
}

/// Gains change within an eighth of a block, so that nothing clicks.
fn ramp(from: [f32; 2], to: [f32; 2], at: usize) -> [f32; 2] {
    let way = (at as f32 / (BLOCK / 8) as f32).min(1.0);
    [0, 1].map(|side| from[side] + way * (to[side] - from[side]))
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Mixer};

    fn noise(seed: u32, samples: usize) -> Vec<f32> {
        let numbers = std::iter::successors(Some(seed), |number| {
            Some(number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
        });
        numbers.skip(1).take(samples).map(|number| (number >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    fn mixed(left: &[f32], right: &[f32]) -> Vec<f32> {
        let (mut mixer, mut mix) = (Mixer::default(), Vec::new());
        for (left, right) in left.chunks(BLOCK).zip(right.chunks(BLOCK)) {
            mixer.push(left, right, &mut mix);
        }
        mix
    }

    fn energy(samples: &[f32]) -> f32 {
        samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32
    }

    #[test]
    fn nothing_is_lost_whatever_the_sides_are() {
        let (sound, other) = (noise(1, 32 * BLOCK), noise(9, 32 * BLOCK));
        let turned: Vec<f32> = sound.iter().map(|sample| -sample).collect();
        let half: Vec<f32> = sound.iter().map(|sample| -0.5 * sample).collect();
        let silent = vec![0.0; sound.len()];
        let late = [&sound[..16 * BLOCK], &turned[16 * BLOCK..]].concat();
        for (what, right) in [
            ("same", &sound),
            ("opposed", &turned),
            ("fainter", &half),
            ("silent", &silent),
            ("other", &other),
            ("late", &late),
        ] {
            for (left, right) in [(&sound, right), (right, &sound)] {
                let mix = mixed(left, right);
                for (block, (mix, sound)) in mix.chunks(BLOCK).zip(sound.chunks(BLOCK)).enumerate() {
                    assert!(energy(mix) > 0.2 * energy(sound), "{what}: block {block} is lost");
                }
            }
        }
        assert_eq!(mixed(&sound, &sound), sound, "what is the same on both sides is as it was");
        assert_eq!(mixed(&sound, &silent), sound, "one side alone is as it was");
    }
}
