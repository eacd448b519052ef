//! One track at the recogniser's rate.

use std::collections::VecDeque;

use engine::{error::StageError, job::Channels, plan::SAMPLE_RATE};

use crate::{
    channels::ChannelStream,
    decode::{Decoder, Step},
    speech_segments::SpeechSegmenter,
};

pub(super) struct Voice {
    pub(super) decoder: Decoder,
    /// Mixes the track's channels.
    channels: ChannelStream,
    rate: u32,
    samples: Vec<f32>,
    /// Silence that belongs before `samples`, at the track's own rate.
    silence: u64,
    /// Samples at 16 kHz that nobody has taken yet.
    pub(super) ready: VecDeque<f32>,
    pub(super) has_ended: bool,
}

impl Voice {
    pub(super) fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            channels: ChannelStream::new(Channels::Mix),
            rate: SAMPLE_RATE,
            samples: Vec::new(),
            silence: 0,
            ready: VecDeque::new(),
            has_ended: false,
        }
    }

    /// Makes so many samples ready, unless the track ends before.
    pub(super) fn fill(&mut self, samples: usize) -> Result<(), StageError> {
        while self.ready.len() < samples && !self.has_ended {
            self.advance()?;
            self.ready.extend(self.channels.heard().iter_mut().flat_map(|stream| stream.drain(..)));
        }
        Ok(())
    }

    /// Takes one packet in, or as much silence as lasts a second.
    fn advance(&mut self) -> Result<(), StageError> {
        if self.silence > 0 {
            let piece = self.silence.min(u64::from(self.rate));
            self.silence -= piece;
            return self.channels.push_silence(piece as usize);
        }
        if !self.samples.is_empty() {
            self.channels.push(&self.samples)?;
            self.samples.clear();
            return Ok(());
        }
        match self.decoder.step(&mut self.samples)? {
            Step::Samples { rate, silence_before } => {
                self.rate = rate;
                self.channels.set_format(rate, self.decoder.layout())?;
                self.silence = silence_before;
            }
            Step::Nothing => {}
            Step::End => {
                self.has_ended = true;
                self.channels.finish()?;
            }
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
