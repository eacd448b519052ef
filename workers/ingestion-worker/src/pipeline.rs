//! The blocking half of ingestion: a local file in, work units out.
//!
//! It pulls packet by packet through decoding, channels, speech detection and segmentation, on a
//! thread of its own. It knows nothing of the store; whoever receives the units writes them.

use std::fs::File;

use audio::{
    channels::{ChannelStream, Layout},
    decode::{DecodeOptions, Step},
    tracks::Tracks,
};
use engine::{
    config::IngestSettings,
    error::StageError,
    job::{AudioOptions, Channels},
    plan::{AudioFormat, SAMPLE_RATE},
    warning::Warning,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    listener::{Found, Listener},
    units::{FilledUnit, UnitFiller},
};

/// What the recording turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    pub(crate) format: AudioFormat,
    pub(crate) duration_s: f64,
    pub(crate) speech_s: f64,
    pub(crate) units: u32,
    pub(crate) chunks: u32,
    pub(crate) is_mono: bool,
    pub(crate) warnings: Vec<Warning>,
}

/// Runs a file through to its end, sending each unit as soon as it is full.
///
/// # Errors
/// A recording that cannot be decoded; cancelled, also where the receiver of the units is gone.
pub(crate) fn run(
    file: File,
    name: &str,
    audio: AudioOptions,
    settings: &IngestSettings,
    units: &mpsc::Sender<FilledUnit>,
    cancelled: &CancellationToken,
    progress: impl Fn(f64),
) -> Result<Summary, StageError> {
    let options = DecodeOptions { ffmpeg: settings.ffmpeg_program(), strict: audio.strict };
    let mut tracks = Tracks::open(&file, name, &options, audio.track)?;
    let mut stream = SpeechStream::new(audio.channels, settings.unit_seconds, units, cancelled, progress);
    let mut samples = Vec::new();
    loop {
        stream.check_cancelled()?;
        match tracks.step(&mut samples)? {
            Step::Samples { rate, silence_before } => {
                stream.check_length(name, settings.max_source_hours, silence_before / u64::from(rate))?;
                stream.set_format(rate, tracks.layout())?;
                stream.push_silence(silence_before)?;
                stream.push(&samples)?;
            }
            Step::Nothing => {}
            Step::End => {
                let mut summary = stream.finish(name, tracks.format())?;
                summary.warnings.extend(tracks.into_warnings());
                return Ok(summary);
            }
        }
    }
}

/// Silence after which the speech detector and the resampler's filter are at rest, so that more of it need not be heard.
const SETTLING_S: u64 = 10;

/// Samples of each stream that are heard before those of the next one: a second, so that what is said at the same time is
/// found at the same time.
const SIDE_BY_SIDE: usize = SAMPLE_RATE as usize;

/// Everything after the decoder.
struct SpeechStream<'a, P> {
    units: &'a mpsc::Sender<FilledUnit>,
    cancelled: &'a CancellationToken,
    progress: P,
    rate: u32,
    channels: ChannelStream,
    /// One for each stream of the channels.
    listeners: Vec<Listener>,
    found: Found,
    filler: UnitFiller,
    told_s: u64,
}

impl<'a, P: Fn(f64)> SpeechStream<'a, P> {
    fn new(
        channels: Channels,
        unit_seconds: u32,
        units: &'a mpsc::Sender<FilledUnit>,
        cancelled: &'a CancellationToken,
        progress: P,
    ) -> Self {
        Self {
            units,
            cancelled,
            progress,
            rate: SAMPLE_RATE,
            channels: ChannelStream::new(channels),
            listeners: Vec::new(),
            found: Found::default(),
            filler: UnitFiller::new(unit_seconds),
            told_s: 0,
        }
    }

    fn check_cancelled(&self) -> Result<(), StageError> {
        if self.cancelled.is_cancelled() { Err(StageError::cancelled()) } else { Ok(()) }
    }

    /// The rate, in hertz, and the channels of what comes next.
    fn set_format(&mut self, rate: u32, layout: &Layout) -> Result<(), StageError> {
        self.rate = rate;
        self.channels.set_format(rate, layout)?;
        self.filler.is_mono = self.channels.is_mono();
        self.hear()
    }

    /// Some container's gaps and headers promise more than any disk could hold.
    fn check_length(&self, name: &str, most_hours: u32, seconds_more: u64) -> Result<(), StageError> {
        let seconds = self.channels.position() / u64::from(SAMPLE_RATE) + seconds_more;
        if seconds <= 3_600 * u64::from(most_hours) {
            return Ok(());
        }
        Err(StageError::bad_input(format!(
            "{name} is longer than {most_hours} h, gaps included; split it, or raise LONGHAND_MAX_SOURCE_HOURS on the ingestion worker"
        )))
    }

    /// Fills a gap. A long one is passed over once nothing would come of it.
    fn push_silence(&mut self, samples: u64) -> Result<(), StageError> {
        let settling = samples.min(SETTLING_S * u64::from(self.rate));
        self.push_zeros(settling)?;
        let mut rest = samples - settling;
        if rest > 0 {
            self.channels.settle();
            self.hear()?;
            self.listeners.iter_mut().for_each(|listener| listener.end_in_silence(&mut self.found));
            self.fill_units()?;
        }
        if rest > 0 && self.listeners.iter().all(Listener::is_at_rest) {
            let (skipped, made) = self.channels.skip_silence(rest);
            self.listeners.iter_mut().for_each(|listener| listener.skip_silence(made));
            self.tell_progress();
            rest -= skipped;
        }
        self.push_zeros(rest)
    }

    fn push_zeros(&mut self, mut samples: u64) -> Result<(), StageError> {
        while samples > 0 {
            self.check_cancelled()?;
            let length = samples.min(u64::from(self.rate));
            self.channels.push_silence(length as usize)?;
            self.hear()?;
            samples -= length;
        }
        Ok(())
    }

    fn push(&mut self, samples: &[f32]) -> Result<(), StageError> {
        self.channels.push(samples)?;
        self.hear()
    }

    /// Hands on what is ready of each stream.
    fn hear(&mut self) -> Result<(), StageError> {
        self.tell_progress();
        let streams = self.channels.heard().len();
        for stream in self.listeners.len()..streams {
            self.listeners.push(Listener::new(self.channels.channel(stream)));
        }
        let heard = self.channels.heard();
        let longest = heard.iter().map(Vec::len).max().unwrap_or_default();
        for from in (0..longest).step_by(SIDE_BY_SIDE) {
            for (listener, samples) in self.listeners.iter_mut().zip(heard.iter()) {
                let piece = from.min(samples.len())..samples.len().min(from + SIDE_BY_SIDE);
                listener.hear(&samples[piece], &mut self.found);
            }
        }
        heard.iter_mut().for_each(Vec::clear);
        self.fill_units()
    }

    fn fill_units(&mut self) -> Result<(), StageError> {
        for chunk in self.found.chunks.drain(..) {
            if let Some(unit) = self.filler.push(chunk) {
                send(self.units, unit)?;
            }
        }
        Ok(())
    }

    fn tell_progress(&mut self) {
        let seconds = self.channels.position() / u64::from(SAMPLE_RATE);
        if seconds > self.told_s {
            self.told_s = seconds;
            (self.progress)(seconds as f64);
        }
    }

    fn finish(mut self, name: &str, format: &AudioFormat) -> Result<Summary, StageError> {
        self.channels.finish()?;
        self.hear()?;
        for listener in std::mem::take(&mut self.listeners) {
            listener.finish(&mut self.found);
        }
        self.fill_units()?;
        let is_mono = self.filler.is_mono;
        let (last, units, chunks) = self.filler.finish();
        if let Some(unit) = last {
            send(self.units, unit)?;
        }
        let seconds = |samples: u64| samples as f64 / f64::from(SAMPLE_RATE);
        Ok(Summary {
            format: AudioFormat { channels: counted(format.channels, is_mono), ..format.clone() },
            duration_s: seconds(self.channels.position()),
            speech_s: seconds(self.found.spoken.samples()),
            units,
            chunks,
            is_mono,
            warnings: self.channels.warnings(name),
        })
    }
}

/// Headers may be silent about the channels, or wrong.
fn counted(channels: u32, is_mono: bool) -> u32 {
    if is_mono { 1 } else { channels.max(2) }
}

/// The receiver goes away only where the ingestion was cancelled or failed to write.
fn send(units: &mpsc::Sender<FilledUnit>, unit: FilledUnit) -> Result<(), StageError> {
    units.blocking_send(unit).map_err(|_| StageError::cancelled())
}
