//! Audio files to the samples of their channels, as a stream.
//!
//! Only this module knows symphonia. Every error names the recording and is about it, so none of
//! them is worth a retry, except trouble with the disk.
//!
//! Symphonia decodes what it can, and an `ffmpeg` program the rest, where there is one: its output is read as a wav file
//! would be. Formats and streams that promise no length are read to their end.

mod containers;
mod edit_list;
mod ending;
mod ffmpeg;
mod layout;
mod open;
mod source_file;
mod timeline;
mod track;
mod wav_lengths;

use std::{io::ErrorKind, path::PathBuf};

use engine::{error::StageError, plan::AudioFormat, warning::Warning};
use symphonia::core::{
    audio::GenericAudioBufferRef,
    codecs::audio::AudioDecoder,
    errors::Error,
    formats::{FormatReader, well_known::FORMAT_ID_MP3},
    packet::Packet,
    units::Duration,
};

use self::{
    ending::{Damage, Promise},
    ffmpeg::Child,
    timeline::Timeline,
    track::{AudioTrack, seconds},
};
use crate::{channels::Layout, resample::RATES};

/// How recordings are decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecodeOptions {
    /// The `ffmpeg` program that decodes what Longhand does not, by its path or its name on `PATH`. `None` for none.
    pub ffmpeg: Option<PathBuf>,
    /// Refuse a recording that ends early or is damaged.
    pub strict: bool,
}

pub struct Decoder {
    /// The recording as errors call it.
    name: String,
    is_strict: bool,
    reader: Box<dyn FormatReader>,
    /// What the reader reads from, where that is no file.
    child: Option<Child>,
    /// What the child's own header says of the length, of sound or of pictures, in seconds.
    child_promise: Option<f64>,
    decoder: Box<dyn AudioDecoder>,
    track: AudioTrack,
    format: AudioFormat,
    /// Audio tracks of the recording.
    tracks: usize,
    promise: Promise,
    timeline: Timeline,
    /// Latest end of any track's packets, in seconds.
    reached_s: f64,
    packets: u64,
    damage: Damage,
    warnings: Vec<Warning>,
    /// Of the samples that came last.
    layout: Layout,
}

/// What one packet of the file gave, apart from the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    Samples {
        /// Samples per second, in hertz; it may change within a recording.
        rate: u32,
        /// Samples of silence, of each channel, that belong before these, where the recording has a hole.
        silence_before: u64,
    },
    /// The packet was damaged, run-up of the encoder, or another track's.
    Nothing,
    End,
}

impl Decoder {
    pub fn format(&self) -> &AudioFormat {
        &self.format
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// How many audio tracks the recording has.
    pub(crate) fn tracks(&self) -> usize {
        self.tracks
    }

    /// The channels of the samples that the last step gave.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What was wrong with the recording, once it has ended.
    pub fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }

    /// Reads one packet, of whichever track, and decodes it into `samples`, replacing what was there. The samples of all
    /// channels are interleaved.
    ///
    /// # Errors
    /// A recording that holds no audio; where it has to be whole, also one that ends early or is damaged.
    pub fn step(&mut self, samples: &mut Vec<f32>) -> Result<Step, StageError> {
        samples.clear();
        let Some(mut packet) = self.next_packet()? else {
            self.check_end()?;
            return Ok(Step::End);
        };
        self.note_end(&packet);
        if packet.track_id != self.track.id {
            return Ok(Step::Nothing);
        }
        if self.reader.format_info().format == FORMAT_ID_MP3 {
            keep_joined_audio(&mut packet);
        }
        self.decode(&packet, samples)
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, StageError> {
        loop {
            match self.reader.next_packet() {
                Ok(packet) => return Ok(packet),
                Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                Err(Error::IoError(error)) if self.child.is_none() => return Err(self.unreadable(&error)),
                Err(Error::ResetRequired) => self.restart()?,
                // Only what comes after the promised end may be rubbish, such as foreign tags.
                Err(_) if self.missing_s() == Some(0.0) => return Ok(None),
                Err(error) => {
                    self.damage.broken_off = Some(reason(&error));
                    return Ok(None);
                }
            }
        }
    }

    /// A chained stream begins anew, perhaps in another shape.
    fn restart(&mut self) -> Result<(), StageError> {
        let (track, decoder) = open::decodable_track(self.reader.as_ref(), &self.name, None)?;
        self.track = track;
        self.decoder = decoder;
        Ok(())
    }

    fn decode(&mut self, packet: &Packet, samples: &mut Vec<f32>) -> Result<Step, StageError> {
        self.packets += 1;
        let at_s = self.track.seconds(packet.pts);
        let rate = match self.decoder.decode(packet) {
            Ok(buffer) => {
                self.layout = take(&buffer, samples);
                buffer.spec().rate()
            }
            Err(Error::ResetRequired) => {
                self.restart()?;
                return Ok(Step::Nothing);
            }
            // A damaged packet may look like anything, a feature that nobody has among them.
            Err(error) => {
                self.note_damage(at_s, &error);
                return Ok(Step::Nothing);
            }
        };
        if !RATES.contains(&rate) {
            return Err(open::absurd_rate(&self.name, rate));
        }
        let channels = self.layout.count();
        let at_s = self.track.keep_heard(at_s, rate, channels, samples);
        if samples.is_empty() {
            return Ok(Step::Nothing);
        }
        let hole_s = self.timeline.advance(at_s, (samples.len() / channels) as f64 / f64::from(rate));
        Ok(Step::Samples { rate, silence_before: (hole_s * f64::from(rate)).round() as u64 })
    }

    fn note_end(&mut self, packet: &Packet) {
        let track = self.reader.tracks().iter().find(|track| track.id == packet.track_id);
        if let Some(time_base) = track.and_then(|track| track.time_base) {
            let end = packet.pts.saturating_add(packet.dur);
            self.reached_s = self.reached_s.max(seconds(time_base, end));
        }
    }

    fn note_damage(&mut self, at_s: Option<f64>, error: &Error) {
        self.damage.packets += 1;
        // One line tells of all of them: a broken file may have millions.
        if self.damage.packets == 1 {
            self.damage.since_s = at_s.unwrap_or(self.timeline.written_s());
            tracing::warn!(recording = self.name, at_s, reason = reason(error), "damaged packets are left out");
        }
    }

    fn unreadable(&self, error: &std::io::Error) -> StageError {
        let (name, at) = (&self.name, self.timeline.written_s());
        StageError::transient(format!("{name} could not be read on at {at:.1} s: {error}; check the disk"))
    }
}

/// The library's words for an error without its own classes, which mean little to a user.
fn reason(error: &Error) -> String {
    match error {
        Error::DecodeError(reason) | Error::Unsupported(reason) => (*reason).to_owned(),
        error => error.to_string(),
    }
}

/// An mp3 packet that is padding as a whole comes after the end that the header names or that was
/// reckoned from the file's size. It is audio all the same: mp3 files are often just joined.
fn keep_joined_audio(packet: &mut Packet) {
    if packet.trim_end >= packet.dur {
        packet.trim_end = Duration::ZERO;
    }
}

/// Copies the samples of all channels. Those that are no numbers, as broken float files have, become 0.
fn take(buffer: &GenericAudioBufferRef<'_>, samples: &mut Vec<f32>) -> Layout {
    buffer.copy_to_vec_interleaved(samples);
    for sample in samples.iter_mut() {
        *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
    }
    layout::layout(buffer.spec().channels(), buffer.num_planes())
}
