//! Keeps what is said on one channel off the others, where each is recognised by itself: a leak would be heard as speech of
//! its own, and its words would be there twice.

use super::{BLOCK, pair_statistics::PairStatistics, separation::APART};

/// A channel's loudness falls by 15 dB in 0.3 s once it is silent: a short pause of one's own does not make one a leak.
const RELEASE: f32 = 0.69;
/// What is kept of the statistics from one block to the next: they are of about the last half second.
const KEPT: f32 = 0.94;
/// Two sides that are as like as this carry the same.
const SAME: f32 = 0.9;
/// Of sides that are the same neither is much louder: 6 dB.
const ALIKE: f32 = 4.0;

#[derive(Debug)]
pub(super) struct CrosstalkGate {
    loudness: Vec<f32>,
    /// Of each channel, at the end of the last block.
    gains: Vec<f32>,
    /// Whether what is the same on two channels is heard on the first one only, as the announcements of a call are.
    hears_same_once: bool,
    recent: PairStatistics,
}

impl CrosstalkGate {
    pub(super) fn new(channels: usize, hears_same_once: bool) -> Self {
        let recent = PairStatistics::default();
        Self { loudness: vec![0.0; channels], gains: vec![1.0; channels], hears_same_once, recent }
    }

    /// Takes a block of each channel, of at most [`BLOCK`] samples, appending what is left of it.
    pub(super) fn push(&mut self, blocks: &[&[f32]], heard: &mut [Vec<f32>]) {
        for (loudness, block) in self.loudness.iter_mut().zip(blocks) {
            let mean = block.iter().map(|sample| sample * sample).sum::<f32>() / block.len().max(1) as f32;
            *loudness = mean.max(RELEASE * *loudness);
        }
        let loudest = self.loudness.iter().copied().fold(0.0, f32::max);
        let is_same = self.are_same(blocks);
        for (channel, (block, heard)) in blocks.iter().zip(heard).enumerate() {
            let is_leak = loudest > APART * self.loudness[channel];
            let wanted = if is_leak || (is_same && channel > 0) { 0.0 } else { 1.0 };
            let from = std::mem::replace(&mut self.gains[channel], wanted);
            let way = |at: usize| (at as f32 / (BLOCK / 8) as f32).min(1.0);
            heard.extend(block.iter().enumerate().map(|(at, sample)| sample * (from + way(at) * (wanted - from))));
        }
    }

    fn are_same(&mut self, blocks: &[&[f32]]) -> bool {
        let (true, [one, other]) = (self.hears_same_once, blocks) else { return false };
        self.recent = self.recent.faded(KEPT).with(PairStatistics::of(one, other));
        let PairStatistics { left, right, .. } = self.recent;
        self.recent.likeness() > SAME && left < ALIKE * right && right < ALIKE * left
    }
}
