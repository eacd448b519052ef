//! What models take of the memory, and how much there is for them.

use std::path::Path;

use engine::job::RecogniserChoice;

mod limits;

/// What a session of whisper.cpp takes besides what grows with the model. Measured for all of it, with 30 s of noise, the
/// times of words and a beam search where the text is doubtful: 0.26 GB with `base`, 0.42 GB with `small`.
const SESSION_BYTES: u64 = 250_000_000;
/// The same for a chunk of CTranslate2's batch. Measured with `base`: 0.08 GB for all of it, in batches of 2 and 4.
const BATCHED_CHUNK_BYTES: u64 = 60_000_000;
/// What the process takes without any model.
const PROCESS_BYTES: u64 = 100_000_000;

/// What a model takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footprint {
    pub(crate) weights: u64,
    /// Whether sessions may use two copies of the weights for a while: whisper.cpp reads them anew for the times of words.
    reads_twice: bool,
    session: u64,
}

impl Footprint {
    /// Of weights in a file of so many bytes, and sessions that take so many chunks at once. The keys and values of a
    /// beam search grow with the model, as does a window's encoding: by three quarters of its weights in 8 bits.
    pub(crate) fn of(recogniser: RecogniserChoice, weights: u64, batch: usize) -> Self {
        match recogniser {
            RecogniserChoice::Ctranslate2 => {
                let chunk = BATCHED_CHUNK_BYTES + weights / 4;
                Self { weights, reads_twice: false, session: chunk * batch.max(1) as u64 }
            }
            RecogniserChoice::Auto | RecogniserChoice::Whisper => {
                Self { weights, reads_twice: true, session: SESSION_BYTES + weights / 4 * 3 }
            }
        }
    }

    /// With so many sessions at work.
    pub(crate) fn with(&self, sessions: usize) -> u64 {
        let copies = if self.reads_twice { sessions.clamp(1, 2) } else { 1 };
        self.weights * copies as u64 + self.session * sessions as u64
    }

    /// How many sessions so many bytes are enough for.
    pub(crate) fn fitting(&self, bytes: u64) -> usize {
        match bytes.checked_sub(self.with(2)) {
            Some(more) => usize::try_from(more / self.session).map_or(usize::MAX, |more| more.saturating_add(2)),
            None => usize::from(self.with(1) <= bytes),
        }
    }
}

/// Bytes for all models of this process: what the settings say, else what is free and what this process has taken.
pub(crate) fn capacity(setting_mb: Option<u64>) -> u64 {
    match setting_mb {
        Some(megabytes) => megabytes.saturating_mul(1_000_000),
        None => {
            let root = Path::new("/");
            (limits::free(root) + limits::taken(root)).saturating_sub(PROCESS_BYTES)
        }
    }
}

/// As people say it.
pub(crate) fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}
