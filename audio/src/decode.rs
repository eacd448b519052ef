//! Audio files to mono samples, as a stream.
//!
//! Only this module knows symphonia. Every error names the recording and is about it, so none of
//! them is worth a retry, except trouble with the disk.
//!
//! A file is refused as ending early when what its header promises and what could be read differ
//! by more than [`MISSING_TOLERATED_S`] and 1 %. Formats and streams that promise nothing are taken
//! as they are.

mod edit_list;
mod open;
mod timeline;
mod track;

use engine::{error::StageError, plan::AudioFormat};
use symphonia::core::{
    audio::GenericAudioBufferRef,
    codecs::audio::AudioDecoder,
    errors::Error,
    formats::{FormatReader, well_known::FORMAT_ID_MP3},
    packet::Packet,
    units::Duration,
};

use self::{
    timeline::Timeline,
    track::{AudioTrack, seconds},
};
use crate::resample::RATES;

/// Seconds that may be missing at the end: encoders round, players never complain.
const MISSING_TOLERATED_S: f64 = 1.0;
/// A wav header may leave its length open; with less audio than this it is taken for damaged.
const LEAST_OF_OPEN_LENGTH_S: f64 = 1.0;

pub struct Decoder {
    /// The recording as errors call it.
    name: String,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: AudioTrack,
    format: AudioFormat,
    promise: Promise,
    timeline: Timeline,
    /// Latest end of any track's packets, in seconds.
    reached_s: f64,
    packets: u64,
    damaged_packets: u64,
    interleaved: Vec<f32>,
}

/// What the header says of the length.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Promise {
    Seconds(f64),
    /// Nothing: streams, and files whose format has no place for it.
    Nothing,
    /// The mark of a program that wrote to a pipe and could not know.
    LeftOpen,
}

/// What one packet of the file gave, apart from the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    Samples {
        /// Samples per second, in hertz; it may change within a recording.
        rate: u32,
        /// Samples of silence that belong before these, where the recording has a hole.
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

    /// Reads one packet, of whichever track, and decodes it into `mono`, replacing what was there.
    ///
    /// # Errors
    /// A recording that ends early, is damaged or holds no audio.
    pub fn step(&mut self, mono: &mut Vec<f32>) -> Result<Step, StageError> {
        mono.clear();
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
        self.decode(&packet, mono)
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, StageError> {
        loop {
            match self.reader.next_packet() {
                Ok(packet) => return Ok(packet),
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(Error::IoError(error)) => return Err(self.unreadable(&error)),
                Err(Error::ResetRequired) => self.restart()?,
                // Only what comes after the promised end may be rubbish, such as foreign tags.
                Err(_) if self.missing_s() == Some(0.0) => return Ok(None),
                Err(error) => return Err(self.broken_off(&error)),
            }
        }
    }

    /// A chained stream begins anew, perhaps in another shape.
    fn restart(&mut self) -> Result<(), StageError> {
        let (track, decoder) = open::first_decodable(self.reader.as_ref(), &self.name)?;
        self.track = track;
        self.decoder = decoder;
        Ok(())
    }

    fn decode(&mut self, packet: &Packet, mono: &mut Vec<f32>) -> Result<Step, StageError> {
        self.packets += 1;
        let at_s = self.track.seconds(packet.pts);
        let rate = match self.decoder.decode(packet) {
            Ok(buffer) => {
                mix_down(&buffer, &mut self.interleaved, mono);
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
        self.track.drop_unheard(rate, mono);
        if mono.is_empty() {
            return Ok(Step::Nothing);
        }
        let hole_s = self.timeline.advance(at_s, mono.len() as f64 / f64::from(rate));
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
        self.damaged_packets += 1;
        // One line tells of all of them: a broken file may have millions.
        if self.damaged_packets == 1 {
            tracing::warn!(recording = self.name, at_s, reason = reason(error), "damaged packets are left out");
        }
    }

    /// Seconds that the header promised and that did not come. `None` without a promise.
    fn missing_s(&self) -> Option<f64> {
        let Promise::Seconds(promised) = self.promise else { return None };
        let missing = promised - self.reached_s.max(self.timeline.written_s());
        Some(if missing > MISSING_TOLERATED_S.max(promised / 100.0) { missing } else { 0.0 })
    }

    fn check_end(&self) -> Result<(), StageError> {
        let name = &self.name;
        let decoded = self.timeline.written_s();
        if let (Promise::Seconds(promised), Some(1e-9..)) = (self.promise, self.missing_s()) {
            return Err(self.ends_early(&format!("says {promised:.1} s")));
        }
        if self.promise == Promise::LeftOpen && decoded < LEAST_OF_OPEN_LENGTH_S {
            return Err(self.ends_early("says 4 GB or leaves the length open"));
        }
        if 2 * self.damaged_packets > self.packets {
            let (damaged, all) = (self.damaged_packets, self.packets);
            return Err(StageError::bad_input(format!(
                "{name} is damaged: {damaged} of its {all} audio packets cannot be decoded; copy or export it again"
            )));
        }
        if decoded == 0.0 {
            return Err(StageError::bad_input(format!(
                "{name} holds no audio: its track is empty; check the recording"
            )));
        }
        Ok(())
    }

    fn ends_early(&self, promise: &str) -> StageError {
        let (name, decoded) = (&self.name, self.timeline.written_s());
        StageError::bad_input(format!(
            "{name} ends early: its header {promise}, {decoded:.1} s could be decoded; copy or download it again"
        ))
    }

    /// What the demuxer could not read on after. Where it gave nothing at all, the header is all
    /// there is of the file.
    fn broken_off(&self, error: &Error) -> StageError {
        let (name, at) = (&self.name, self.timeline.written_s());
        match self.promise {
            Promise::Seconds(promised) if at == 0.0 => self.ends_early(&format!("says {promised:.1} s")),
            _ => {
                let reason = reason(error);
                StageError::bad_input(format!("{name} is damaged at {at:.1} s ({reason}); copy or export it again"))
            }
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

/// Averages the channels. Samples that are no numbers, as broken float files have, become 0.
fn mix_down(buffer: &GenericAudioBufferRef<'_>, interleaved: &mut Vec<f32>, mono: &mut Vec<f32>) {
    let channels = buffer.num_planes().max(1);
    buffer.copy_to_vec_interleaved(interleaved);
    let scale = 1.0 / channels as f32;
    mono.extend(interleaved.chunks_exact(channels).map(|frame| {
        let sample = frame.iter().sum::<f32>() * scale;
        if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
    }));
}
