//! Several tracks at once.

use engine::{
    error::StageError,
    plan::{AudioFormat, SAMPLE_RATE},
    warning::Warning,
};

use super::voice::Voice;
use crate::{
    channels::Layout,
    decode::{Decoder, Step},
};

/// Samples that are mixed at once: a tenth of a second.
const BLOCK: usize = 1_600;

pub(super) struct Mixed {
    pub(super) layout: Layout,
    voices: Vec<Voice>,
    /// Why the first of those that gave up did so.
    refusal: Option<StageError>,
    has_sound: bool,
}

impl Mixed {
    /// Those of the tracks that can be decoded.
    ///
    /// # Errors
    /// None can, or the disk fails.
    pub(super) fn new(tracks: impl Iterator<Item = Result<Decoder, StageError>>) -> Result<Self, StageError> {
        let (mut voices, mut refusal) = (Vec::new(), None);
        for track in tracks {
            match track {
                Ok(decoder) => voices.push(Voice::new(decoder)),
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            Some(refusal) if voices.is_empty() => Err(refusal),
            refusal => Ok(Self { layout: Layout::of_count(1), voices, refusal, has_sound: false }),
        }
    }

    /// That of the first track.
    pub(super) fn format(&self) -> &AudioFormat {
        self.voices[0].decoder.format()
    }

    /// The next block of their sum. A track that has ended is silent.
    pub(super) fn step(&mut self, mono: &mut Vec<f32>) -> Result<Step, StageError> {
        mono.clear();
        for voice in &mut self.voices {
            match voice.fill(BLOCK) {
                Err(error) if error.is_retryable() || voice.decoder.is_strict() => return Err(error),
                // Such as a track that is empty: the others are heard.
                Err(error) => {
                    voice.has_ended = true;
                    self.refusal.get_or_insert(error);
                }
                Ok(()) => {}
            }
        }
        let length = self.voices.iter().map(|voice| voice.ready.len().min(BLOCK)).max().unwrap_or_default();
        if length == 0 {
            let refusal = self.refusal.take().filter(|_| !self.has_sound);
            return refusal.map_or(Ok(Step::End), Err);
        }
        self.has_sound = true;
        mono.resize(length, 0.0);
        // Quieter does no harm, and a sum that is too loud would.
        let scale = 1.0 / self.voices.len() as f32;
        for voice in &mut self.voices {
            let taken = voice.ready.len().min(length);
            for (mixed, sample) in mono.iter_mut().zip(voice.ready.drain(..taken)) {
                *mixed += sample * scale;
            }
        }
        Ok(Step::Samples { rate: SAMPLE_RATE, silence_before: 0 })
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.voices.into_iter().flat_map(|voice| voice.decoder.into_warnings()).collect()
    }
}
