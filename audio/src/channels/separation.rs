//! Whether the two sides of a recording are two voices apart, as in telephone calls.
//!
//! In a call, whoever speaks is heard on one side and, if at all, as a faint leak on the other; both sides speak, mostly in
//! turns. Everything else has most of its sound on both sides: a voice in the middle, a room, music.

/// What becomes of two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Together,
    Apart,
}

/// How much louder the side is on which somebody speaks: 15 dB.
pub(super) const APART: f32 = 31.6;
/// Parts of a hundred of all sound that have to be on one side alone.
const MOST: u32 = 85;
/// Samples whose loudness is compared: 64 ms.
const FRAME: usize = 1024;
/// Frames on each side alone after which it is sure that both speak, and before which no recording's end settles it.
const SURE: u32 = 47;
const LEAST: u32 = 16;
/// Frames on both sides after which it is sure that they belong together: 20 s of sound.
const SURELY_TOGETHER: u32 = 312;
/// Frames fainter than this part of the loudest one are pauses: -30 dB.
const PAUSE: f32 = 1e-3;
/// Mean square of what nobody hears: -60 dB.
const INAUDIBLE: f32 = 1e-6;
/// How fast the estimate of a side's noise follows what never gets fainter: 1.5 dB in a second.
const NOISE_RISES: f32 = 1.022;

/// Digital silence has less noise than any room: -90 dB.
const LEAST_NOISE: f32 = 1e-9;

#[derive(Debug, Default)]
pub(super) struct Separation {
    partial: [Vec<f32>; 2],
    /// Mean squares of the noise on each side; `None` before the first frame.
    noise: Option<[f32; 2]>,
    loudest: f32,
    alone: [u32; 2],
    together: u32,
}

impl Separation {
    pub(super) fn push(&mut self, left: &[f32], right: &[f32]) {
        for (partial, samples) in self.partial.iter_mut().zip([left, right]) {
            partial.extend_from_slice(samples);
        }
        let frames = self.partial[0].len() / FRAME;
        let [left, right] = std::mem::take(&mut self.partial);
        for (left, right) in left.chunks_exact(FRAME).zip(right.chunks_exact(FRAME)) {
            self.push_frame([left, right].map(mean_square));
        }
        self.partial = [left, right].map(|side| side[frames * FRAME..].to_vec());
    }

    fn push_frame(&mut self, energy: [f32; 2]) {
        let before = self.noise.unwrap_or(energy);
        let noise = [0, 1].map(|side| energy[side].min((before[side] * NOISE_RISES).max(LEAST_NOISE)));
        self.noise = Some(noise);
        let [left, right] = [0, 1].map(|side| (energy[side] - 2.0 * noise[side]).max(0.0));
        let louder = left.max(right);
        self.loudest = self.loudest.max(louder);
        if louder < INAUDIBLE || louder < PAUSE * self.loudest {
            return;
        }
        if left > APART * right {
            self.alone[0] += 1;
        } else if right > APART * left {
            self.alone[1] += 1;
        } else {
            self.together += 1;
        }
    }

    /// What is sure by now.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        if self.together >= SURELY_TOGETHER && !self.are_apart(0) {
            return Some(Verdict::Together);
        }
        self.are_apart(SURE).then_some(Verdict::Apart)
    }

    /// What is likely where no more comes.
    pub(super) fn final_verdict(&self) -> Verdict {
        if self.are_apart(LEAST) { Verdict::Apart } else { Verdict::Together }
    }

    fn are_apart(&self, least: u32) -> bool {
        let alone: u32 = self.alone.iter().sum();
        self.alone.iter().all(|frames| *frames >= least) && 100 * alone >= MOST * (alone + self.together)
    }
}

fn mean_square(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32
}
