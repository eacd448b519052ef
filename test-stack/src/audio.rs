//! Recordings that the tests make out of the sample, or out of nothing.

use std::path::Path;

use tempfile::NamedTempFile;

use crate::sample;

const RATE: u32 = 16_000;

/// The sample again and again, for at least so many seconds.
pub fn repeated_sample(seconds: u32) -> NamedTempFile {
    let once = sample_pcm();
    let repeats = (seconds * RATE).div_ceil(u32::try_from(once.len()).unwrap());
    wav(once.iter().copied().cycle().take(once.len() * repeats as usize))
}

/// Digital silence.
pub fn silence(seconds: u32) -> NamedTempFile {
    wav((0..seconds * RATE).map(|_| 0))
}

/// Sound that is far too faint to be heard, and no two seconds of which are the same.
pub fn faint(seconds: u32) -> NamedTempFile {
    // A linear congruential generator, whose upper bits are the better ones.
    let numbers =
        std::iter::successors(Some(1_u32), |number| Some(number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    wav(numbers.take((seconds * RATE) as usize).map(|number| i16::try_from(number >> 30).unwrap() - 2))
}

/// The sample's samples, 16 kHz mono.
fn sample_pcm() -> Vec<i16> {
    let mut reader = claxon::FlacReader::open(sample()).unwrap();
    assert_eq!((reader.streaminfo().sample_rate, reader.streaminfo().channels), (RATE, 1));
    reader.samples().map(|sample| i16::try_from(sample.unwrap()).unwrap()).collect()
}

fn wav(samples: impl Iterator<Item = i16>) -> NamedTempFile {
    let file = NamedTempFile::with_suffix(".wav").unwrap();
    write_wav(file.path(), samples);
    file
}

fn write_wav(path: &Path, samples: impl Iterator<Item = i16>) {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    samples.for_each(|sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
}
