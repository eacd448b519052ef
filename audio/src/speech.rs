//! Where speech begins and ends, frame by frame.
//!
//! It knows nothing of chunks: it takes 16 kHz samples and reports edges.

/// Samples that are judged at a time: 16 ms.
pub(crate) const FRAME: usize = 256;

/// Score, 0 to 1, that opens a segment; low, since a word lost costs more than a breath kept.
const OPEN_AT: f32 = 0.4;
/// Score below which a frame counts towards the segment's end.
const CLOSE_BELOW: f32 = 0.25;
/// Frames in a row below [`CLOSE_BELOW`] that end a segment: 0.25 s.
const CLOSE_AFTER: u32 = 16;

/// What a frame told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Speech begins with this frame.
    Opened,
    /// Speech ended so many frames ago, this one counted.
    Closed { frames_ago: u32 },
}

pub(crate) struct SpeechDetector {
    model: Box<earshot::Detector>,
    volume: Volume,
    open: bool,
    low_frames: u32,
}

impl SpeechDetector {
    pub(crate) fn new() -> Self {
        Self { model: earshot::Detector::default_boxed(), volume: Volume::default(), open: false, low_frames: 0 }
    }

    /// Speech has ended, whatever the model says.
    pub(crate) fn close(&mut self) {
        self.open = false;
    }

    /// Takes frames of digital silence for judged, after so much of it that more would change nothing.
    pub(crate) fn skip_silence(&mut self, frames: u64) {
        self.volume.forget(frames);
    }

    /// Judges the next frame.
    pub(crate) fn push(&mut self, frame: &[i16; FRAME]) -> Option<Edge> {
        let score = self.model.predict_i16(&self.volume.raise(frame));
        if !self.open {
            self.open = score >= OPEN_AT;
            self.low_frames = 0;
            return self.open.then_some(Edge::Opened);
        }
        self.low_frames = if score < CLOSE_BELOW { self.low_frames + 1 } else { 0 };
        if self.low_frames < CLOSE_AFTER {
            return None;
        }
        self.open = false;
        Some(Edge::Closed { frames_ago: self.low_frames })
    }
}

/// Brings quiet recordings to the level that the model was trained on: it takes speech at
/// -60 dB for nothing, and the rounding noise around speech at -50 dB for speech.
#[derive(Default)]
struct Volume {
    /// The loudest sample, forgotten by half every 10 s.
    peak: f32,
}

impl Volume {
    const KEPT_PER_FRAME: f32 = 0.998_891_6;
    /// What the peak is raised to: -10 dB.
    const TARGET: f32 = 10_000.0;
    const MOST: f32 = 32.0;

    fn forget(&mut self, frames: u64) {
        self.peak *= Self::KEPT_PER_FRAME.powf(frames as f32);
    }

    fn raise(&mut self, frame: &[i16; FRAME]) -> [i16; FRAME] {
        let loudest = frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or_default();
        self.peak = (self.peak * Self::KEPT_PER_FRAME).max(f32::from(loudest));
        let gain = (Self::TARGET / self.peak.max(1.0)).clamp(1.0, Self::MOST);
        frame.map(|sample| (f32::from(sample) * gain) as i16)
    }
}

/// Loudness of speech varies by 20 dB and more, of speech buried in noise by 3; of steady noise,
/// hum and held tones, which the model often takes for speech, by less than 2.
const LEAST_VARIATION_DB: f64 = 2.5;
/// Fewer frames say too little of how their loudness varies: 0.5 s.
const LEAST_FRAMES: usize = 31;

/// Whether what the model took for speech sounds on too evenly to be any.
pub(crate) fn is_steady(samples: &[i16]) -> bool {
    let mut loudness: Vec<f64> = samples.chunks_exact(FRAME).map(decibels).collect();
    if loudness.len() < LEAST_FRAMES {
        return false;
    }
    loudness.sort_by(f64::total_cmp);
    let at = |percent: usize| loudness[loudness.len() * percent / 100];
    at(95) - at(5) < LEAST_VARIATION_DB
}

/// A frame's energy without the bass, whose slow swings would pass for variation.
fn decibels(frame: &[i16]) -> f64 {
    let steps = frame.windows(2).map(|pair| f64::from(pair[1]) - 0.97 * f64::from(pair[0]));
    10.0 * (1.0 + steps.map(|step| step * step).sum::<f64>()).log10()
}
