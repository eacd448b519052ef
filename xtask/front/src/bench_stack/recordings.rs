//! Recordings that are made for a bench: long ones, by repetition, and many short ones.
//!
//! One sentence, over and over, is soon written and enough for what only decodes and cuts. A recogniser takes it for a
//! loop of its own making and looks at it three times: what recognises gets different sentences.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::{
    corpus::Corpus,
    python::{self, Environment},
};
use crate::workspace;

/// 11 s of speech, 8 bits and 8 kHz: small, and the resampler has to work.
const ONCE: &str = "workers/ingestion-worker/tests/fixtures/jfk-8k-u8.wav";
const HEADER: usize = 44;
const BYTES_PER_SECOND: usize = 8_000;
/// The middle of unsigned samples.
const SILENCE: u8 = 0x80;

/// Writes so many seconds of the corpus's long recordings into a folder, 16 bits and 16 kHz.
pub(crate) fn speech(folder: &Path, corpus: &Corpus, seconds: u32) -> anyhow::Result<PathBuf> {
    let environment = Environment::with("soundfile-0.13.1", &["soundfile==0.13.1"])?;
    let path = folder.join("speech.wav");
    let mut command = Command::new(environment.python());
    command.arg(workspace::root().join("benches/speech/repeat.py")).arg(seconds.to_string()).arg(&path);
    python::run(command.args(corpus.long().map(|recording| &recording.audio)))?;
    Ok(path)
}

/// Writes so many hours of one sentence into a folder.
pub(crate) fn hours(folder: &Path, hours: u32) -> anyhow::Result<PathBuf> {
    let once = Sound::read()?;
    let times = (hours as usize * 3600 * BYTES_PER_SECOND).div_ceil(once.samples.len());
    let path = folder.join(format!("{hours}-hours.wav"));
    once.write(&path, times, 0)?;
    Ok(path)
}

/// Writes speech that takes about so many bytes into a folder.
pub(crate) fn of_bytes(folder: &Path, bytes: usize) -> anyhow::Result<PathBuf> {
    let once = Sound::read()?;
    let path = folder.join("upload.wav");
    once.write(&path, bytes / once.samples.len(), 0)?;
    Ok(path)
}

/// Writes clips into a folder that is made for them. All say the same, and no two are the same file.
pub(crate) fn clips(folder: &Path, count: u32) -> anyhow::Result<()> {
    let once = Sound::read()?;
    fs::create_dir(folder)?;
    (0..count).try_for_each(|clip| once.write(&folder.join(format!("{clip:04}.wav")), 1, clip as usize))
}

struct Sound {
    header: Vec<u8>,
    samples: Vec<u8>,
}

impl Sound {
    fn read() -> anyhow::Result<Self> {
        let once = workspace::root().join(ONCE);
        let mut header = fs::read(&once).with_context(|| format!("cannot read {}", once.display()))?;
        let samples = header.split_off(HEADER);
        Ok(Self { header, samples })
    }

    /// The sound so many times over, and so many samples of silence after it.
    fn write(&self, path: &Path, times: usize, silence: usize) -> anyhow::Result<()> {
        let bytes = times * self.samples.len() + silence;
        let bytes = u32::try_from(bytes).context("a WAV file holds at most 149 hours of this")?;
        let mut file = BufWriter::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?);
        file.write_all(&self.header[..4])?;
        file.write_all(&(bytes + HEADER as u32 - 8).to_le_bytes())?;
        file.write_all(&self.header[8..HEADER - 4])?;
        file.write_all(&bytes.to_le_bytes())?;
        (0..times).try_for_each(|_| file.write_all(&self.samples))?;
        file.write_all(&vec![SILENCE; silence])?;
        Ok(file.flush()?)
    }
}
