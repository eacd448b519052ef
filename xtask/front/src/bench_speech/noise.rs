//! A minute each of what is no speech, as WAV files: a recogniser has to keep silent on them.

use std::{
    f64::consts::TAU,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

const RATE: u32 = 16_000;
const SECONDS: u32 = 60;

/// Gives the sample, from -1 to 1, at so many seconds.
type Sound = Box<dyn FnMut(f64) -> f64>;

/// Writes every kind into a folder and gives name and path of each.
pub(crate) fn write_all(folder: &Path) -> io::Result<Vec<(&'static str, PathBuf)>> {
    let mut white = Random(1);
    let mut brown = (Random(2), 0.0);
    let kinds: [(&'static str, Sound); 4] = [
        ("silence", Box::new(|_| 0.0)),
        ("white noise", Box::new(move |_| 0.2 * white.next())),
        (
            "brown noise",
            Box::new(move |_| {
                brown.1 = 0.998 * brown.1 + 0.02 * brown.0.next();
                brown.1
            }),
        ),
        ("music-like tones", Box::new(chord)),
    ];
    let mut written = Vec::new();
    for (name, sample) in kinds {
        let path = folder.join(format!("{}.wav", name.replace(' ', "-")));
        write(&path, sample)?;
        written.push((name, path));
    }
    Ok(written)
}

/// A chord that changes every second, each note struck and dying away.
fn chord(seconds: f64) -> f64 {
    const CHORDS: [[f64; 3]; 4] =
        [[261.6, 329.6, 392.0], [220.0, 261.6, 329.6], [174.6, 220.0, 261.6], [196.0, 246.9, 293.7]];
    let notes = CHORDS[seconds as usize % CHORDS.len()];
    let fading = (-3.0 * seconds.fract()).exp();
    notes.iter().map(|frequency| 0.15 * fading * (TAU * frequency * seconds).sin()).sum()
}

fn write(path: &Path, mut sample: impl FnMut(f64) -> f64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let bytes = 2 * RATE * SECONDS;
    file.write_all(b"RIFF")?;
    file.write_all(&(36 + bytes).to_le_bytes())?;
    file.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x01\0")?;
    file.write_all(&RATE.to_le_bytes())?;
    file.write_all(&(2 * RATE).to_le_bytes())?;
    file.write_all(b"\x02\0\x10\0data")?;
    file.write_all(&bytes.to_le_bytes())?;
    for index in 0..RATE * SECONDS {
        let value = sample(f64::from(index) / f64::from(RATE)).clamp(-1.0, 1.0);
        file.write_all(&((value * 32_767.0) as i16).to_le_bytes())?;
    }
    file.flush()
}

/// A small generator with a fixed seed (xorshift), so that every run hears the same noise.
struct Random(u64);

impl Random {
    /// From -1 to 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}
