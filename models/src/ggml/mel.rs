//! The filter bank that turns a power spectrum into mel bands, which ggml files carry along.
//!
//! Slaney's mel scale with triangles of equal area, as in librosa's `filters.mel` for 16 kHz and a
//! window of 400 samples: the bank that Whisper was trained with.

use std::io::{self, Write};

use super::file::{write_length, write_u32};

const SAMPLE_RATE: f64 = 16_000.0;
/// Frequencies of the spectrum: 0 to 8 kHz in steps of 40 Hz.
pub const BINS: usize = 201;

/// The scale is linear up to 1 kHz, with so many hertz to a mel, and logarithmic above.
const LINEAR_HERTZ: f64 = 200.0 / 3.0;
const BREAK_HERTZ: f64 = 1_000.0;
const BREAK_MEL: f64 = BREAK_HERTZ / LINEAR_HERTZ;
/// Growth per mel above the break: 27 mel to a factor of 6.4.
const LOG_FACTOR: f64 = 6.4;
const LOG_STEPS: f64 = 27.0;

/// Writes the bank for so many bands, band by band.
pub(super) fn write_filters(output: &mut impl Write, bands: u32) -> io::Result<()> {
    write_u32(output, bands)?;
    write_length(output, BINS)?;
    mel_filters(bands as usize).flatten().try_for_each(|weight| output.write_all(&weight.to_le_bytes()))
}

/// The weights of each band for the frequencies of the spectrum, the lowest band first.
pub fn mel_filters(bands: usize) -> impl Iterator<Item = [f32; BINS]> {
    let top = mel(SAMPLE_RATE / 2.0);
    let edges: Vec<f64> = (0..bands + 2).map(|edge| hertz(top * edge as f64 / (bands + 1) as f64)).collect();
    (0..bands).map(move |band| triangle(edges[band], edges[band + 1], edges[band + 2]))
}

/// Rounded to 32 bits before and after scaling, as the original bank was.
fn triangle(low: f64, centre: f64, high: f64) -> [f32; BINS] {
    let area = 2.0 / (high - low);
    std::array::from_fn(|bin| {
        let frequency = SAMPLE_RATE / 2.0 * bin as f64 / (BINS - 1) as f64;
        let rising = (frequency - low) / (centre - low);
        let falling = (high - frequency) / (high - centre);
        let weight = rising.min(falling).max(0.0) as f32;
        (f64::from(weight) * area) as f32
    })
}

fn mel(hertz: f64) -> f64 {
    if hertz < BREAK_HERTZ {
        return hertz / LINEAR_HERTZ;
    }
    BREAK_MEL + (hertz / BREAK_HERTZ).ln() * LOG_STEPS / LOG_FACTOR.ln()
}

fn hertz(mel: f64) -> f64 {
    if mel < BREAK_MEL {
        return mel * LINEAR_HERTZ;
    }
    BREAK_HERTZ * ((mel - BREAK_MEL) * LOG_FACTOR.ln() / LOG_STEPS).exp()
}

#[cfg(test)]
mod tests {
    use super::{BINS, mel_filters};

    #[test]
    fn bands_rise_from_low_to_high_and_have_equal_area() {
        for bands in [80, 128] {
            let bank: Vec<[f32; BINS]> = mel_filters(bands).collect();
            assert_eq!(bank.len(), bands);
            let peaks: Vec<usize> = bank.iter().map(peak).collect();
            assert!(peaks.is_sorted(), "{peaks:?}");
            // The wide bands at the top are sampled finely enough for their area to show.
            for band in &bank[bands - 10..] {
                let area: f32 = band.iter().sum::<f32>() * 40.0;
                assert!((area - 1.0).abs() < 0.02, "{area}");
            }
        }
    }

    #[test]
    fn the_bank_is_the_one_that_whisper_was_trained_with() {
        // Band, bin and weight of the published bank.
        let bank: Vec<[f32; BINS]> = mel_filters(80).collect();
        for (band, bin, weight) in
            [(0, 1, 0.024_862_59), (1, 1, 0.001_990_82), (1, 2, 0.022_871_77), (79, 192, 0.003_164_71)]
        {
            let found = bank[band][bin];
            assert!((found - weight).abs() < 1e-6, "band {band}, bin {bin}: {found}");
        }
    }

    fn peak(band: &[f32; BINS]) -> usize {
        let highest = band.iter().copied().enumerate().max_by(|left, right| left.1.total_cmp(&right.1));
        highest.map_or(0, |(bin, _)| bin)
    }
}
