//! Audio to the log-mel spectrogram that Whisper's encoder takes.

use std::{f64::consts::TAU, sync::Arc};

use models::ggml::{BINS, mel_filters};
use realfft::{RealFftPlanner, RealToComplex};

/// Samples that one frame sees.
const FFT_LENGTH: usize = 400;
/// Samples from one frame to the next: 10 ms.
const HOP_LENGTH: usize = 160;
/// How far below the loudest band, in powers of ten, everything counts as silent.
const DYNAMIC_RANGE: f32 = 8.0;

/// Whisper's spectrogram: mel bands in powers of ten, of frames that lie 10 ms apart.
pub(super) struct Spectrogram {
    transform: Arc<dyn RealToComplex<f32>>,
    hann: [f32; FFT_LENGTH],
    bands: Vec<Band>,
}

/// A band's weights for the frequencies from `first` on.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

impl Spectrogram {
    pub(super) fn new(bands: usize) -> Self {
        let hann = |sample: usize| (0.5 - 0.5 * (TAU * sample as f64 / FFT_LENGTH as f64).cos()) as f32;
        Self {
            transform: RealFftPlanner::new().plan_fft_forward(FFT_LENGTH),
            hann: std::array::from_fn(hann),
            bands: mel_filters(bands).map(|weights| Band::new(&weights)).collect(),
        }
    }

    pub(super) fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Fills `features`, frame by frame within each band, with the samples and the silence after them.
    pub(super) fn write(&self, pcm: &[f32], features: &mut [f32]) {
        let frames = features.len() / self.bands.len();
        let padded = padded(pcm, frames);
        let mut window = self.transform.make_input_vec();
        let mut spectrum = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let mut power = [0.0; BINS];
        for frame in 0..frames {
            let samples = &padded[frame * HOP_LENGTH..frame * HOP_LENGTH + FFT_LENGTH];
            for ((windowed, sample), hann) in window.iter_mut().zip(samples).zip(&self.hann) {
                *windowed = sample * hann;
            }
            // Lengths are the plan's own, and that is all that it checks.
            let _ = self.transform.process_with_scratch(&mut window, &mut spectrum, &mut scratch);
            for (power, frequency) in power.iter_mut().zip(&spectrum) {
                *power = frequency.norm_sqr();
            }
            for (band, filter) in self.bands.iter().enumerate() {
                features[band * frames + frame] = filter.apply(&power).max(1e-10).log10();
            }
        }
        let floor = features.iter().copied().fold(f32::NEG_INFINITY, f32::max) - DYNAMIC_RANGE;
        for feature in features {
            *feature = (feature.max(floor) + 4.0) / 4.0;
        }
    }
}

/// Each frame is centred on its moment, so half a window of mirrored sound goes before the first.
fn padded(pcm: &[f32], frames: usize) -> Vec<f32> {
    let mirrored = (1..=FFT_LENGTH / 2).rev().map(|sample| pcm.get(sample).copied().unwrap_or_default());
    let mut padded: Vec<f32> = mirrored.chain(pcm.iter().copied()).collect();
    padded.resize(frames * HOP_LENGTH + FFT_LENGTH, 0.0);
    padded
}

impl Band {
    fn new(weights: &[f32; BINS]) -> Self {
        let first = weights.iter().position(|weight| *weight > 0.0).unwrap_or_default();
        let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or_default();
        Self { first, weights: weights[first..=last].to_vec() }
    }

    fn apply(&self, power: &[f32; BINS]) -> f32 {
        self.weights.iter().zip(&power[self.first..]).map(|(weight, power)| weight * power).sum()
    }
}
