//! The blocking half of ingestion: a local file in, work units out.
//!
//! It pulls packet by packet through decoding, resampling, speech detection and segmentation, on a
//! thread of its own. It knows nothing of the store; whoever receives the units writes them.

use std::fs::File;

use audio::{
    decode::{Decoder, Step},
    resample::Resampler,
    speech_segments::{SpeechSegment, SpeechSegmenter},
};
use engine::{
    config::IngestSettings,
    error::StageError,
    plan::{AudioFormat, SAMPLE_RATE},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    chunker::Chunker,
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
}

/// Runs a file through to its end, sending each unit as soon as it is full.
///
/// # Errors
/// A recording that cannot be decoded; cancelled, also where the receiver of the units is gone.
pub(crate) fn run(
    file: File,
    name: &str,
    settings: &IngestSettings,
    units: &mpsc::Sender<FilledUnit>,
    cancelled: &CancellationToken,
    progress: impl Fn(f64),
) -> Result<Summary, StageError> {
    let mut decoder = Decoder::open(file, name)?;
    let mut stream = SpeechStream::new(settings.unit_seconds, units, cancelled, progress);
    let mut samples = Vec::new();
    loop {
        stream.check_cancelled()?;
        match decoder.step(&mut samples)? {
            Step::Samples { rate, silence_before } => {
                stream.check_length(name, settings.max_source_hours, silence_before / u64::from(rate))?;
                stream.set_rate(rate)?;
                stream.push_silence(silence_before)?;
                stream.push(&samples)?;
            }
            Step::Nothing => {}
            Step::End => return stream.finish(decoder.format()),
        }
    }
}

/// Silence after which the speech detector and the resampler's filter are at rest, so that more of it need not be heard.
const SETTLING_S: u64 = 10;

/// Everything after the decoder.
struct SpeechStream<'a, P> {
    units: &'a mpsc::Sender<FilledUnit>,
    cancelled: &'a CancellationToken,
    progress: P,
    rate: u32,
    resampler: Resampler,
    segmenter: SpeechSegmenter,
    chunker: Chunker,
    filler: UnitFiller,
    /// Samples at 16 kHz so far.
    position: u64,
    told_s: u64,
    /// Samples in which something is said.
    speech: u64,
    resampled: Vec<f32>,
    pcm: Vec<i16>,
    segments: Vec<SpeechSegment>,
}

impl<'a, P: Fn(f64)> SpeechStream<'a, P> {
    fn new(
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
            resampler: Resampler::Through,
            segmenter: SpeechSegmenter::new(),
            chunker: Chunker::default(),
            filler: UnitFiller::new(unit_seconds),
            position: 0,
            told_s: 0,
            speech: 0,
            resampled: Vec::new(),
            pcm: Vec::new(),
            segments: Vec::new(),
        }
    }

    fn check_cancelled(&self) -> Result<(), StageError> {
        if self.cancelled.is_cancelled() { Err(StageError::cancelled()) } else { Ok(()) }
    }

    /// The rate of what comes next, in hertz.
    fn set_rate(&mut self, rate: u32) -> Result<(), StageError> {
        if rate == self.rate {
            return Ok(());
        }
        self.rate = rate;
        let finished = std::mem::replace(&mut self.resampler, Resampler::new(rate)?);
        finished.finish(&mut self.resampled)?;
        self.detect()
    }

    /// Some container's gaps and headers promise more than any disk could hold.
    fn check_length(&self, name: &str, most_hours: u32, seconds_more: u64) -> Result<(), StageError> {
        let seconds = self.position / u64::from(SAMPLE_RATE) + seconds_more;
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
            self.segmenter.end_in_silence(&mut self.segments);
            self.fill_chunks()?;
        }
        if rest > 0 && self.segmenter.is_at_rest() {
            let (skipped, made) = self.resampler.skip_silence(rest);
            self.segmenter.skip_silence(made);
            self.position += made;
            self.tell_progress();
            rest -= skipped;
        }
        self.push_zeros(rest)
    }

    fn push_zeros(&mut self, mut samples: u64) -> Result<(), StageError> {
        let piece = vec![0.0; self.rate as usize];
        while samples > 0 {
            self.check_cancelled()?;
            let length = samples.min(piece.len() as u64);
            self.push(&piece[..length as usize])?;
            samples -= length;
        }
        Ok(())
    }

    fn push(&mut self, samples: &[f32]) -> Result<(), StageError> {
        self.resampler.push(samples, &mut self.resampled)?;
        self.detect()
    }

    /// Hands what is resampled on to the detector, and the segments it finds to the chunker.
    fn detect(&mut self) -> Result<(), StageError> {
        self.pcm.clear();
        self.pcm.extend(self.resampled.drain(..).map(|sample| (sample * 32_768.0).round() as i16));
        self.position += self.pcm.len() as u64;
        self.segmenter.push(&self.pcm, &mut self.segments);
        self.tell_progress();
        self.fill_chunks()
    }

    fn fill_chunks(&mut self) -> Result<(), StageError> {
        for segment in self.segments.drain(..) {
            self.speech += segment.speech.end - segment.speech.start;
            let chunk = self.chunker.push(segment);
            if let Some(unit) = chunk.and_then(|chunk| self.filler.push(chunk)) {
                send(self.units, unit)?;
            }
        }
        Ok(())
    }

    fn tell_progress(&mut self) {
        let seconds = self.position / u64::from(SAMPLE_RATE);
        if seconds > self.told_s {
            self.told_s = seconds;
            (self.progress)(seconds as f64);
        }
    }

    fn finish(mut self, format: &AudioFormat) -> Result<Summary, StageError> {
        let resampler = std::mem::replace(&mut self.resampler, Resampler::Through);
        resampler.finish(&mut self.resampled)?;
        self.detect()?;
        let segmenter = std::mem::replace(&mut self.segmenter, SpeechSegmenter::new());
        segmenter.finish(&mut self.segments);
        self.fill_chunks()?;
        if let Some(unit) = self.chunker.finish().and_then(|chunk| self.filler.push(chunk)) {
            send(self.units, unit)?;
        }
        let (last, units, chunks) = self.filler.finish();
        if let Some(unit) = last {
            send(self.units, unit)?;
        }
        let seconds = |samples: u64| samples as f64 / f64::from(SAMPLE_RATE);
        Ok(Summary {
            format: format.clone(),
            duration_s: seconds(self.position),
            speech_s: seconds(self.speech),
            units,
            chunks,
        })
    }
}

/// The receiver goes away only where the ingestion was cancelled or failed to write.
fn send(units: &mpsc::Sender<FilledUnit>, unit: FilledUnit) -> Result<(), StageError> {
    units.blocking_send(unit).map_err(|_| StageError::cancelled())
}
