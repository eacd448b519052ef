//! Decides what becomes of several channels, and does it.

use engine::{job::Channels, plan::SAMPLE_RATE};

use super::{
    BLOCK,
    crosstalk::CrosstalkGate,
    mixer::Mixer,
    separation::{Separation, Verdict},
};

/// How far a recording is measured where nothing is sure before: 5 minutes, which are decoded in a second or two.
const MEASURED: usize = 300 * SAMPLE_RATE as usize;

/// Samples at 16 kHz on their way from channels to what is recognised.
#[derive(Debug)]
pub(super) struct Router {
    way: Way,
    /// Of each channel, samples that do not fill a block yet; all of them while it is measured.
    waiting: Vec<Vec<f32>>,
    /// What is to be recognised, of each stream.
    pub(super) heard: Vec<Vec<f32>>,
}

#[derive(Debug)]
enum Way {
    /// There is one, and nothing to decide.
    Through,
    Measured(Separation),
    Mixed(Mixer),
    Apart(CrosstalkGate),
}

impl Router {
    pub(super) fn new(wanted: Channels, channels: usize) -> Self {
        let (way, streams) = match (wanted, channels) {
            (_, 0 | 1) => (Way::Through, 1),
            (Channels::Split, _) => (Way::Apart(CrosstalkGate::new(channels, false)), channels),
            (Channels::Mix, _) => (Way::Mixed(Mixer::default()), 1),
            (Channels::Auto, _) => (Way::Measured(Separation::default()), 0),
        };
        Self { way, waiting: vec![Vec::new(); channels], heard: vec![Vec::new(); streams] }
    }

    /// Whether each stream is a channel by itself.
    pub(super) fn is_apart(&self) -> bool {
        matches!(self.way, Way::Apart(_))
    }

    /// Seconds in which a side was turned, for it was the other one upside down.
    pub(super) fn turned_s(&self) -> u64 {
        let Way::Mixed(mixer) = &self.way else { return 0 };
        mixer.turned * BLOCK as u64 / u64::from(SAMPLE_RATE)
    }

    /// Takes as many samples of each channel.
    pub(super) fn push(&mut self, channels: &mut [Vec<f32>]) {
        if let (Way::Through, [only], [heard]) = (&self.way, &mut *channels, &mut *self.heard) {
            heard.append(only);
            return;
        }
        if let (Way::Measured(separation), [left, right]) = (&mut self.way, &*channels) {
            separation.push(left, right);
        }
        for (waiting, samples) in self.waiting.iter_mut().zip(channels) {
            waiting.append(samples);
        }
        if let Way::Measured(separation) = &self.way {
            match separation.verdict() {
                Some(verdict) => self.settle_as(verdict),
                None if self.waiting[0].len() >= MEASURED => self.settle(),
                None => return,
            }
        }
        self.hear(BLOCK);
    }

    /// Decides with what is known now.
    pub(super) fn settle(&mut self) {
        if let Way::Measured(separation) = &self.way {
            self.settle_as(separation.final_verdict());
            self.hear(BLOCK);
        }
    }

    fn settle_as(&mut self, verdict: Verdict) {
        let channels = self.waiting.len();
        let (way, streams) = match verdict {
            Verdict::Together => (Way::Mixed(Mixer::default()), 1),
            Verdict::Apart => (Way::Apart(CrosstalkGate::new(channels, true)), channels),
        };
        self.way = way;
        self.heard = vec![Vec::new(); streams];
    }

    /// The recording has ended.
    pub(super) fn finish(&mut self) {
        self.settle();
        self.hear(1);
    }

    /// Hears what waits in blocks, the last of which has so many samples at least.
    fn hear(&mut self, least: usize) {
        let ready = self.waiting.first().map_or(0, Vec::len);
        let mut at = 0;
        while ready - at >= least.min(BLOCK) && at < ready {
            let end = ready.min(at + BLOCK);
            let blocks: Vec<&[f32]> = self.waiting.iter().map(|waiting| &waiting[at..end]).collect();
            match (&mut self.way, &*blocks, &mut *self.heard) {
                (Way::Mixed(mixer), [left, right], [mix]) => mixer.push(left, right, mix),
                (Way::Apart(gate), _, heard) => gate.push(&blocks, heard),
                _ => {}
            }
            at = end;
        }
        for waiting in &mut self.waiting {
            waiting.drain(..at);
        }
    }
}
