//! One track at the recogniser's rate.

use std::collections::VecDeque;

use engine::{error::StageError, plan::SAMPLE_RATE};

use crate::{
    decode::{Decoder, Step},
    resample::Resampler,
    speech_segments::SpeechSegmenter,
};

pub(super) struct Voice {
    pub(super) decoder: Decoder,
    rate: u32,
    resampler: Resampler,
    samples: Vec<f32>,
    /// Silence that belongs before `samples`, at the track's own rate.
    silence: u64,
    resampled: Vec<f32>,
    /// Samples at 16 kHz that nobody has taken yet.
    pub(super) ready: VecDeque<f32>,
    pub(super) has_ended: bool,
}

impl Voice {
    pub(super) fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            rate: SAMPLE_RATE,
            resampler: Resampler::Through,
            samples: Vec::new(),
            silence: 0,
            resampled: Vec::new(),
            ready: VecDeque::new(),
            has_ended: false,
        }
    }

    /// Makes so many samples ready, unless the track ends before.
    pub(super) fn fill(&mut self, samples: usize) -> Result<(), StageError> {
        while self.ready.len() < samples && !self.has_ended {
            self.advance()?;
            self.ready.extend(self.resampled.drain(..));
        }
        Ok(())
    }

    /// Takes one packet in, or as much silence as lasts a second.
    fn advance(&mut self) -> Result<(), StageError> {
        if self.silence > 0 {
            let piece = self.silence.min(u64::from(self.rate));
            self.silence -= piece;
            return self.resampler.push(&vec![0.0; piece as usize], &mut self.resampled);
        }
        if !self.samples.is_empty() {
            self.resampler.push(&self.samples, &mut self.resampled)?;
            self.samples.clear();
            return Ok(());
        }
        match self.decoder.step(&mut self.samples)? {
            Step::Samples { rate, silence_before } => {
                self.set_rate(rate)?;
                self.silence = silence_before;
            }
            Step::Nothing => {}
            Step::End => {
                self.has_ended = true;
                std::mem::replace(&mut self.resampler, Resampler::Through).finish(&mut self.resampled)?;
            }
        }
        Ok(())
    }

    fn set_rate(&mut self, rate: u32) -> Result<(), StageError> {
        if rate != self.rate {
            self.rate = rate;
            std::mem::replace(&mut self.resampler, Resampler::new(rate)?).finish(&mut self.resampled)?;
        }
        Ok(())
    }

    /// Samples in which something is said, in so many seconds of the track.
    pub(super) fn speech_within(mut self, limit_s: u64) -> Result<u64, StageError> {
        let limit = limit_s.saturating_mul(u64::from(SAMPLE_RATE));
        let (mut segmenter, mut segments, mut heard, mut speech) = (SpeechSegmenter::new(), Vec::new(), 0, 0);
        while !self.has_ended && heard < limit {
            self.fill(1)?;
            let pcm: Vec<i16> = self.ready.drain(..).map(|sample| (sample * 32_768.0).round() as i16).collect();
            heard += pcm.len() as u64;
            segmenter.push(&pcm, &mut segments);
            speech += segments.drain(..).map(|segment| segment.speech.end - segment.speech.start).sum::<u64>();
        }
        segmenter.finish(&mut segments);
        Ok(speech + segments.iter().map(|segment| segment.speech.end - segment.speech.start).sum::<u64>())
    }
}
