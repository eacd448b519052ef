//! A recording of many hours, made by repetition.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::binaries::workspace;

/// 11 s of speech, 8 bits and 8 kHz: small, and the resampler has to work.
const ONCE: &str = "workers/ingestion-worker/tests/fixtures/jfk-8k-u8.wav";
const HEADER: usize = 44;
const BYTES_PER_SECOND: usize = 8_000;

/// Writes so many hours into a folder.
pub(crate) fn write(folder: &Path, hours: u32) -> anyhow::Result<PathBuf> {
    let once = workspace().join(ONCE);
    let once = fs::read(&once).with_context(|| format!("cannot read {}", once.display()))?;
    let (header, sound) = once.split_at(HEADER);
    let times = (hours as usize * 3600 * BYTES_PER_SECOND).div_ceil(sound.len());
    let bytes = u32::try_from(times * sound.len()).context("a WAV file holds at most 149 hours of this")?;
    let path = folder.join(format!("{hours}-hours.wav"));
    let mut file = BufWriter::new(File::create(&path)?);
    file.write_all(&header[..4])?;
    file.write_all(&(bytes + HEADER as u32 - 8).to_le_bytes())?;
    file.write_all(&header[8..HEADER - 4])?;
    file.write_all(&bytes.to_le_bytes())?;
    (0..times).try_for_each(|_| file.write_all(sound))?;
    file.flush()?;
    Ok(path)
}
