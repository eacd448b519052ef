//! Any sampling rate to the recogniser's 16 kHz, as a stream and without delay.
//!
//! It knows nothing of files: samples in, samples out. The filter's delay is taken off the front,
//! and as many samples come out as the input's length asks for, so times stay true however long
//! the recording is.

use engine::{error::StageError, plan::SAMPLE_RATE};
use rubato::{Fft, FixedSync, Resampler as _, audioadapter_buffers::direct::SequentialSlice};

/// Rates that occur in recordings; outside of them a header is damaged.
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Output samples per FFT block: 64 ms, sharp enough to keep everything below 7.7 kHz.
const BLOCK: usize = 1024;

pub enum Resampler {
    /// The input has the right rate already.
    Through,
    Fft(Box<FftResampler>),
}

impl Resampler {
    /// `rate` is the input's, within [`RATES`].
    pub fn new(rate: u32) -> Result<Self, StageError> {
        Ok(match rate {
            SAMPLE_RATE => Self::Through,
            rate => Self::Fft(Box::new(FftResampler::new(rate).map_err(refused)?)),
        })
    }

    /// Takes samples in and appends what is ready to `output`.
    pub fn push(&mut self, input: &[f32], output: &mut Vec<f32>) -> Result<(), StageError> {
        match self {
            Self::Through => output.extend_from_slice(input),
            Self::Fft(resampler) => resampler.push(input, output).map_err(refused)?,
        }
        Ok(())
    }

    /// As [`Self::push`] of so much silence, after a while of it and as far as that needs no filter. Gives the samples that
    /// it took, and those that it would have given.
    pub fn skip_silence(&mut self, input: u64) -> (u64, u64) {
        match self {
            Self::Through => (input, input),
            Self::Fft(resampler) => resampler.skip_silence(input),
        }
    }

    /// Appends what the filter still holds.
    pub fn finish(self, output: &mut Vec<f32>) -> Result<(), StageError> {
        match self {
            Self::Through => Ok(()),
            Self::Fft(resampler) => resampler.finish(output).map_err(refused),
        }
    }
}

/// The library's own checks failed on buffers made here: nothing that another try would change.
fn refused(error: impl std::fmt::Display) -> StageError {
    StageError::bad_input(format!("the recording cannot be resampled to {SAMPLE_RATE} Hz: {error}; please report it"))
}

/// A filter at work.
pub struct FftResampler {
    fft: Fft<f32>,
    rate: u64,
    pending: Vec<f32>,
    block: Vec<f32>,
    /// Samples at the front of the output that are the filter's delay.
    to_skip: usize,
    taken: u64,
    given: u64,
}

impl FftResampler {
    fn new(rate: u32) -> Result<Self, rubato::ResamplerConstructionError> {
        let input_block = BLOCK * rate as usize / SAMPLE_RATE as usize;
        let fft = Fft::new_custom(
            rate as usize,
            SAMPLE_RATE as usize,
            input_block.max(1),
            1,
            1,
            rubato::WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )?;
        Ok(Self {
            pending: Vec::with_capacity(2 * fft.input_frames_max()),
            block: vec![0.0; fft.output_frames_max()],
            to_skip: fft.output_delay(),
            fft,
            rate: u64::from(rate),
            taken: 0,
            given: 0,
        })
    }

    fn push(&mut self, input: &[f32], output: &mut Vec<f32>) -> Result<(), rubato::ResampleError> {
        self.taken += input.len() as u64;
        self.pending.extend_from_slice(input);
        let mut used = 0;
        while self.pending.len() - used >= self.fft.input_frames_next() {
            used += self.process(used, output)?;
        }
        self.pending.drain(..used);
        Ok(())
    }

    /// Whole blocks: what is pending stays what it is.
    fn skip_silence(&mut self, input: u64) -> (u64, u64) {
        let (needed, made) = (self.fft.input_frames_next() as u64, self.fft.output_frames_next() as u64);
        let blocks = input / needed;
        self.taken += blocks * needed;
        self.given += blocks * made;
        (blocks * needed, blocks * made)
    }

    /// Resamples one block of what is pending from `start` on; gives the samples it used.
    fn process(&mut self, start: usize, output: &mut Vec<f32>) -> Result<usize, rubato::ResampleError> {
        let needed = self.fft.input_frames_next();
        let ready = self.fft.output_frames_next();
        let input = SequentialSlice::new(&self.pending[start..start + needed], 1, needed)
            .expect("one channel of `needed` samples");
        let mut block =
            SequentialSlice::new_mut(&mut self.block[..ready], 1, ready).expect("one channel of `ready` samples");
        let (used, made) = self.fft.process_into_buffer(&input, &mut block, None)?;
        let skipped = self.to_skip.min(made);
        self.to_skip -= skipped;
        output.extend_from_slice(&self.block[skipped..made]);
        self.given += (made - skipped) as u64;
        Ok(used)
    }

    fn finish(mut self: Box<Self>, output: &mut Vec<f32>) -> Result<(), rubato::ResampleError> {
        let wanted = (self.taken * u64::from(SAMPLE_RATE)).div_ceil(self.rate);
        while self.given < wanted {
            self.pending.resize(self.fft.input_frames_next(), 0.0);
            self.process(0, output)?;
            self.pending.clear();
        }
        output.truncate(output.len() - (self.given - wanted) as usize);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Resampler;

    fn resample(rate: u32, input: &[f32]) -> Vec<f32> {
        let mut resampler = Resampler::new(rate).unwrap();
        let mut output = Vec::new();
        for piece in input.chunks(777) {
            resampler.push(piece, &mut output).unwrap();
        }
        resampler.finish(&mut output).unwrap();
        output
    }

    fn tone(rate: u32, hertz: f64, seconds: f64) -> Vec<f32> {
        let step = 2.0 * std::f64::consts::PI * hertz / f64::from(rate);
        (0..(f64::from(rate) * seconds) as usize).map(|n| (n as f64 * step).sin() as f32).collect()
    }

    fn largest(samples: &[f32]) -> f32 {
        samples.iter().fold(0.0, |most, sample| most.max(sample.abs()))
    }

    #[test]
    fn a_tone_below_the_new_limit_comes_out_in_time_and_unchanged() {
        for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000] {
            let output = resample(rate, &tone(rate, 1_000.0, 3.0));
            let expected = tone(16_000, 1_000.0, 3.0);
            assert_eq!(output.len(), expected.len(), "length from {rate} Hz");
            // The first and last block see the edge of the tone.
            let inner = 17_000..31_000;
            let error: Vec<f32> = output[inner.clone()].iter().zip(&expected[inner]).map(|(a, b)| a - b).collect();
            // A quarter of a sample's shift, since the filter's middle may lie between two samples.
            assert!(largest(&error) < 0.1, "from {rate} Hz: off by {}", largest(&error));
        }
    }

    #[test]
    fn skipped_silence_keeps_the_time() {
        for rate in [8_000, 16_000, 44_100, 48_000] {
            let seconds = |count: u64| vec![0.0; (count * u64::from(rate)) as usize];
            let mut whole = [seconds(600), tone(rate, 1_000.0, 1.0)].concat();
            whole.splice(0..0, tone(rate, 1_000.0, 1.0));
            let pushed = resample(rate, &whole);

            let (mut resampler, mut output) = (Resampler::new(rate).unwrap(), Vec::new());
            resampler.push(&tone(rate, 1_000.0, 1.0), &mut output).unwrap();
            resampler.push(&seconds(10), &mut output).unwrap();
            let (taken, given) = resampler.skip_silence(590 * u64::from(rate));
            output.resize(output.len() + given as usize, 0.0);
            resampler.push(&vec![0.0; (590 * u64::from(rate) - taken) as usize], &mut output).unwrap();
            resampler.push(&tone(rate, 1_000.0, 1.0), &mut output).unwrap();
            resampler.finish(&mut output).unwrap();
            assert_eq!(output.len(), pushed.len(), "length from {rate} Hz");
            let error: Vec<f32> = output.iter().zip(&pushed).map(|(a, b)| a - b).collect();
            assert!(largest(&error) < 1e-5, "from {rate} Hz: off by {}", largest(&error));
        }
    }

    #[test]
    fn a_tone_above_the_new_limit_is_silenced() {
        for rate in [22_050, 44_100, 48_000, 96_000] {
            let output = resample(rate, &tone(rate, 9_000.0, 2.0));
            let left = largest(&output[2_000..30_000]);
            assert!(left < 1e-3, "from {rate} Hz: {left} is left");
        }
    }
}
