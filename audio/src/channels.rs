//! What becomes of a recording's channels: one stream to recognise, or one for each.
//!
//! Two voices apart, as in telephone calls, are told from everything else by measuring both sides. What belongs together is
//! mixed so that nothing cancels out, and the dialogue of films, which is in the middle, stays what it is. It knows nothing
//! of files, and of speech no more than how loud it is.

mod crosstalk;
mod layout;
mod mixer;
mod pair_statistics;
mod router;
mod separation;

use engine::{
    error::StageError,
    job::Channels,
    plan::SAMPLE_RATE,
    warning::{Warning, WarningCode},
};

use layout::{Fold, fold};
pub use layout::{Layout, Place};
use router::Router;

use crate::resample::Resampler;

/// Samples at 16 kHz that are treated alike: 32 ms.
const BLOCK: usize = 512;

/// Channels that can be recognised apart: each costs as much as a recording.
const MOST_APART: usize = 32;

/// Loudest sample of a side that is silent, and of one that is not: -66 and -40 dB.
const SILENT: f32 = 5e-4;
const NOT_SILENT: f32 = 1e-2;

/// A recording's samples on their way to 16 kHz and to the streams that are recognised.
pub struct ChannelStream {
    wanted: Channels,
    /// Samples per second of what comes next, in hertz.
    rate: u32,
    layout: Layout,
    weights: Fold,
    resamplers: Vec<Resampler>,
    /// Of each channel that is kept apart until it is routed, at the recording's rate and at 16 kHz.
    folded: Vec<Vec<f32>>,
    resampled: Vec<Vec<f32>>,
    /// Loudest sample of each.
    peaks: Vec<f32>,
    router: Option<Router>,
    position: u64,
}

impl ChannelStream {
    pub fn new(wanted: Channels) -> Self {
        Self {
            wanted,
            rate: SAMPLE_RATE,
            layout: Layout::of_count(1),
            weights: Fold::new(),
            resamplers: Vec::new(),
            folded: Vec::new(),
            resampled: Vec::new(),
            peaks: Vec::new(),
            router: None,
            position: 0,
        }
    }

    /// Rate, in hertz, and channels of what comes next. They may change within a recording, but what it began as decides
    /// how many streams there are.
    ///
    /// # Errors
    /// More channels than can be recognised apart.
    pub fn set_format(&mut self, rate: u32, layout: &Layout) -> Result<(), StageError> {
        if self.router.is_none() {
            self.begin(layout)?;
        } else if *layout != self.layout {
            self.layout = layout.clone();
            self.weights = self.weights_of_more(layout);
        }
        if rate != self.rate {
            self.rate = rate;
            for (resampler, resampled) in self.resamplers.iter_mut().zip(&mut self.resampled) {
                std::mem::replace(resampler, Resampler::new(rate)?).finish(resampled)?;
            }
            self.route();
        }
        Ok(())
    }

    fn begin(&mut self, layout: &Layout) -> Result<(), StageError> {
        let channels = layout.count();
        self.weights = match (self.wanted, channels) {
            (_, 1) => layout.as_one(),
            (Channels::Split, _) if channels > MOST_APART => return Err(too_many(channels)),
            (Channels::Split, _) => layout.each(),
            (Channels::Auto | Channels::Mix, _) => layout.as_pair(),
        };
        self.layout = layout.clone();
        let kept = self.weights.len();
        // Only two channels are two voices: more are a room around the listener.
        let wanted = if self.wanted == Channels::Auto && channels != 2 { Channels::Mix } else { self.wanted };
        self.router = Some(Router::new(wanted, kept));
        self.resamplers = (0..kept).map(|_| Resampler::Through).collect();
        (self.folded, self.resampled) = (vec![Vec::new(); kept], vec![Vec::new(); kept]);
        self.peaks = vec![0.0; kept];
        Ok(())
    }

    fn weights_of_more(&self, layout: &Layout) -> Fold {
        match self.resamplers.len() {
            1 => layout.as_one(),
            2 if self.wanted != Channels::Split => layout.as_pair(),
            streams => layout.onto(streams),
        }
    }

    /// Whether the recording began with one channel.
    pub fn is_mono(&self) -> bool {
        self.resamplers.len() < 2
    }

    /// Samples at 16 kHz so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Takes the samples of all channels, interleaved.
    ///
    /// # Errors
    /// The resampler's.
    pub fn push(&mut self, interleaved: &[f32]) -> Result<(), StageError> {
        fold(&self.weights, interleaved, &mut self.folded);
        for ((folded, resampler), resampled) in
            self.folded.iter_mut().zip(&mut self.resamplers).zip(&mut self.resampled)
        {
            resampler.push(folded, resampled)?;
            folded.clear();
        }
        self.route();
        Ok(())
    }

    /// As [`Self::push`] of so many silent samples of each channel.
    ///
    /// # Errors
    /// The resampler's.
    pub fn push_silence(&mut self, samples: usize) -> Result<(), StageError> {
        self.push(&vec![0.0; samples * self.layout.count()])
    }

    /// As [`Self::push_silence`], after a while of it and as far as that needs no filter. Gives the samples that it took, and
    /// those that it would have given to each stream.
    pub fn skip_silence(&mut self, samples: u64) -> (u64, u64) {
        // All are at the same place, so all skip alike.
        let skips = self.resamplers.iter_mut().map(|resampler| resampler.skip_silence(samples));
        let (taken, given) = skips.fold((samples, samples), |_, skipped| skipped);
        self.position += given;
        (taken, given)
    }

    fn route(&mut self) {
        let Some(router) = &mut self.router else { return };
        self.position += self.resampled.first().map_or(0, Vec::len) as u64;
        for (peak, samples) in self.peaks.iter_mut().zip(&self.resampled) {
            *peak = samples.iter().fold(*peak, |peak, sample| peak.max(sample.abs()));
        }
        router.push(&mut self.resampled);
    }

    /// Decides what becomes of the channels, if that is not known yet, so that all that came can be heard.
    pub fn settle(&mut self) {
        if let Some(router) = &mut self.router {
            router.settle();
        }
    }

    /// The recording has ended.
    ///
    /// # Errors
    /// The resampler's.
    pub fn finish(&mut self) -> Result<(), StageError> {
        for (resampler, resampled) in self.resamplers.iter_mut().zip(&mut self.resampled) {
            std::mem::replace(resampler, Resampler::Through).finish(resampled)?;
        }
        self.route();
        if let Some(router) = &mut self.router {
            router.finish();
        }
        Ok(())
    }

    /// What is ready to be recognised, of each stream, to be drained. There is none before it is known how many there are.
    pub fn heard(&mut self) -> &mut [Vec<f32>] {
        match &mut self.router {
            Some(router) => &mut router.heard,
            None => &mut [],
        }
    }

    /// Which channel a stream is, from 1 on, where each is recognised by itself.
    pub fn channel(&self, stream: usize) -> Option<u32> {
        let is_apart = self.router.as_ref().is_some_and(Router::is_apart);
        is_apart.then(|| u32::try_from(stream + 1).unwrap_or(u32::MAX))
    }

    /// What was not as it should be with the two sides of a recording.
    pub fn warnings(&self, name: &str) -> Vec<Warning> {
        let turned_s = self.router.as_ref().map_or(0, Router::turned_s);
        let opposed = (turned_s > 0).then(|| {
            format!(
                "the two channels of {name} cancel each other out for {turned_s} s, as those of a microphone that is wired \
                 the wrong way; one of them was turned"
            )
        });
        let silent = match *self.peaks {
            _ if self.layout.count() != 2 => None,
            [left, right] if left < SILENT && right > NOT_SILENT => Some("left"),
            [left, right] if right < SILENT && left > NOT_SILENT => Some("right"),
            _ => None,
        };
        let silent =
            silent.map(|side| format!("the {side} channel of {name} is silent; the other one was transcribed"));
        let warning = |message| Warning { code: WarningCode::Channels, message, start: None, end: None };
        opposed.into_iter().chain(silent).map(warning).collect()
    }
}

fn too_many(channels: usize) -> StageError {
    StageError::bad_input(format!(
        "the recording has {channels} channels, of which at most {MOST_APART} can be transcribed apart; ask for a mix of them"
    ))
}
