//! Which of a recording's audio tracks are heard.
//!
//! Cameras, screen recorders and meetings leave several: a microphone and what the others say, several languages, or one
//! that is silent. Unless one is asked for it is the one with the most speech. All of them together are heard at once, as a
//! player would play them: times stay true, and nobody who speaks is left out.

mod mixed;
mod voice;

use std::fs::File;

use engine::{
    error::StageError,
    job::Track,
    plan::AudioFormat,
    warning::{Warning, WarningCode},
};

use self::{mixed::Mixed, voice::Voice};
use crate::{
    channels::Layout,
    decode::{DecodeOptions, Decoder, Step},
};

/// How far the tracks are heard to tell in which of them somebody speaks, unless nobody has by then.
const COMPARED_S: u64 = 600;

/// The sound of a recording, of one track or more.
pub struct Tracks {
    sound: Sound,
    warnings: Vec<Warning>,
}

enum Sound {
    One(Box<Decoder>),
    Mixed(Mixed),
}

impl Tracks {
    /// # Errors
    /// As [`Decoder::open`]; also where there is no track of that number.
    pub fn open(file: &File, name: &str, options: &DecodeOptions, wanted: Option<Track>) -> Result<Self, StageError> {
        let first = Decoder::open(file, name, options, None)?;
        let count = first.tracks();
        let open = |track| Decoder::open(file, name, options, Some(track));
        let one = |decoder| Self { sound: Sound::One(Box::new(decoder)), warnings: Vec::new() };
        match wanted {
            Some(Track::Number(number)) if number.get() as usize <= count => Ok(one(open(number.get() as usize - 1)?)),
            Some(Track::Number(number)) => Err(no_such_track(name, number.get(), count)),
            _ if count <= 1 => Ok(one(first)),
            Some(Track::All) => {
                let sound = Sound::Mixed(Mixed::new((0..count).map(open))?);
                Ok(Self { sound, warnings: Vec::new() })
            }
            None => {
                let chosen = most_spoken(count, open)?;
                Ok(Self { warnings: vec![other_tracks(name, chosen, count)], ..one(open(chosen)?) })
            }
        }
    }

    pub fn format(&self) -> &AudioFormat {
        match &self.sound {
            Sound::One(decoder) => decoder.format(),
            Sound::Mixed(mixed) => mixed.format(),
        }
    }

    /// As [`Decoder::layout`]. All tracks together have one channel.
    pub fn layout(&self) -> &Layout {
        match &self.sound {
            Sound::One(decoder) => decoder.layout(),
            Sound::Mixed(mixed) => &mixed.layout,
        }
    }

    /// As [`Decoder::step`].
    ///
    /// # Errors
    /// As [`Decoder::step`].
    pub fn step(&mut self, samples: &mut Vec<f32>) -> Result<Step, StageError> {
        match &mut self.sound {
            Sound::One(decoder) => decoder.step(samples),
            Sound::Mixed(mixed) => mixed.step(samples),
        }
    }

    /// What was wrong with the recording, once it has ended.
    pub fn into_warnings(self) -> Vec<Warning> {
        let of_sound = match self.sound {
            Sound::One(decoder) => decoder.into_warnings(),
            Sound::Mixed(mixed) => mixed.into_warnings(),
        };
        self.warnings.into_iter().chain(of_sound).collect()
    }
}

/// The track with the most speech; the first of those that are equal. One that cannot be decoded has none.
fn most_spoken(count: usize, open: impl Fn(usize) -> Result<Decoder, StageError>) -> Result<usize, StageError> {
    for limit_s in [COMPARED_S, u64::MAX] {
        let mut best = (0, 0);
        for track in 0..count {
            let speech = match open(track).and_then(|decoder| Voice::new(decoder).speech_within(limit_s)) {
                Err(error) if error.is_retryable() => return Err(error),
                speech => speech.unwrap_or_default(),
            };
            if speech > best.1 {
                best = (track, speech);
            }
        }
        if best.1 > 0 {
            return Ok(best.0);
        }
    }
    Ok(0)
}

fn other_tracks(name: &str, chosen: usize, count: usize) -> Warning {
    let number = chosen + 1;
    Warning {
        code: WarningCode::OtherTracks,
        message: format!(
            "{name} has {count} audio tracks, and number {number} is transcribed, which has the most speech; ask for \
             another one by its number, or for all"
        ),
        start: None,
        end: None,
    }
}

fn no_such_track(name: &str, number: u32, count: usize) -> StageError {
    let what = if count == 1 { "1 audio track".to_owned() } else { format!("{count} audio tracks") };
    StageError::bad_input(format!("{name} has {what} and no number {number}; name one that there is, or all"))
}
