//! Samples at 16 kHz, and wav files made of them or made wrong.

use std::{f64::consts::TAU, fs::File};

use symphonia::core::{
    codecs::{CodecParameters, audio::AudioDecoderOptions},
    formats::{FormatOptions, probe::Hint},
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
};

use crate::workbench::sample;

pub(crate) const SECOND: usize = 16_000;

/// The sample's speech, decoded without any of the code under test.
pub(crate) fn speech() -> Vec<i16> {
    let stream = MediaSourceStream::new(Box::new(File::open(sample()).unwrap()), MediaSourceStreamOptions::default());
    let mut reader = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .unwrap();
    let Some(CodecParameters::Audio(parameters)) = reader.tracks()[0].codec_params.clone() else { panic!("no audio") };
    let codecs = symphonia::default::get_codecs();
    let mut decoder = codecs.make_audio_decoder(&parameters, &AudioDecoderOptions::default()).unwrap();
    let (mut samples, mut packet_samples) = (Vec::new(), Vec::<i16>::new());
    while let Some(packet) = reader.next_packet().unwrap() {
        decoder.decode(&packet).unwrap().copy_to_vec_interleaved(&mut packet_samples);
        samples.extend_from_slice(&packet_samples);
    }
    samples
}

/// Random numbers between -1 and 1, the same in every run.
pub(crate) fn random(count: usize) -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

pub(crate) fn tone(hertz: f64, seconds: usize) -> Vec<f64> {
    (0..seconds * SECOND).map(|n| 0.3 * (TAU * hertz * n as f64 / SECOND as f64).sin()).collect()
}

pub(crate) fn pcm(samples: &[f64]) -> Vec<i16> {
    samples.iter().map(|sample| (sample * 32_767.0) as i16).collect()
}

/// A wav file's header fields, right ones to begin with.
pub(crate) struct Wav {
    pub(crate) format: u16,
    pub(crate) rate: u32,
    pub(crate) channels: u16,
    pub(crate) bits: u16,
    /// The length of the data that the header claims.
    pub(crate) claimed: Option<u32>,
}

impl Default for Wav {
    fn default() -> Self {
        Self { format: 1, rate: 16_000, channels: 1, bits: 16, claimed: None }
    }
}

impl Wav {
    pub(crate) fn file(&self, data: &[u8]) -> Vec<u8> {
        let claimed = self.claimed.unwrap_or(data.len() as u32);
        let frame = self.channels * self.bits / 8;
        let mut file = Vec::with_capacity(44 + data.len());
        file.extend(b"RIFF");
        file.extend(claimed.saturating_add(36).to_le_bytes());
        file.extend(b"WAVEfmt ");
        file.extend(16_u32.to_le_bytes());
        file.extend(self.format.to_le_bytes());
        file.extend(self.channels.to_le_bytes());
        file.extend(self.rate.to_le_bytes());
        file.extend(self.rate.wrapping_mul(u32::from(frame)).to_le_bytes());
        file.extend(frame.to_le_bytes());
        file.extend(self.bits.to_le_bytes());
        file.extend(b"data");
        file.extend(claimed.to_le_bytes());
        file.extend(data);
        file
    }
}

/// A wav file of 16 kHz mono samples.
pub(crate) fn wav(samples: &[i16]) -> Vec<u8> {
    Wav::default().file(&samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>())
}

/// By how many samples the second sound is later than the first, and how like they are then.
pub(crate) fn best_fit(reference: &[i16], sound: &[i16]) -> (i64, f64) {
    const FARTHEST: i64 = 1_600;
    let fit = |delay: i64| {
        let pairs = reference.iter().enumerate().step_by(3).filter_map(|(position, sample)| {
            let other = sound.get(usize::try_from(position as i64 + delay).ok()?)?;
            Some((f64::from(*sample), f64::from(*other)))
        });
        let (product, left, right) = pairs
            .fold((0.0, 0.0, 0.0), |(product, left, right), (a, b)| (product + a * b, left + a * a, right + b * b));
        product / f64::sqrt(left * right).max(1.0)
    };
    (-FARTHEST..=FARTHEST)
        .map(|delay| (delay, fit(delay)))
        .max_by(|(_, left), (_, right)| left.total_cmp(right))
        .unwrap()
}
