//! Audio to what the decoder attends to. Windows are encoded one by one: together they would be no faster, and the
//! attention of eight takes a gigabyte.

use std::{ffi::c_void, sync::atomic::AtomicBool};

use ct2rs::{
    Device,
    sys::{DetectionResult, StorageView, Whisper},
};

use super::{
    super::{RecogniserError, SAMPLE_RATE, check_cancelled, decoder::POSITION_S},
    FRAMES_PER_POSITION, failed,
    mel::Spectrogram,
};

/// Encoded windows, one after the other.
pub(super) struct Encoded {
    values: Vec<f32>,
    shape: [usize; 3],
}

impl Encoded {
    /// Encodes windows, padded with silence to `audio_ctx` positions. Checks `cancel` before each.
    pub(super) fn new(
        whisper: &Whisper,
        spectrogram: &Spectrogram,
        windows: &[&[f32]],
        audio_ctx: usize,
        cancel: &AtomicBool,
    ) -> Result<Self, RecogniserError> {
        let mut values = Vec::new();
        let shape = [1, spectrogram.bands(), audio_ctx * FRAMES_PER_POSITION];
        let mut features = vec![0.0; shape.iter().product()];
        for pcm in windows {
            check_cancelled(cancel)?;
            spectrogram.write(pcm, &mut features);
            let view = StorageView::new(&shape, &mut features, Device::CPU).map_err(failed("taking sound in"))?;
            let encoded = whisper.encode(&view, true).map_err(failed("encoding"))?;
            values.extend_from_slice(read(&encoded));
        }
        let width = values.len() / (windows.len() * audio_ctx).max(1);
        Ok(Self { values, shape: [windows.len(), audio_ctx, width] })
    }

    /// Languages and their probabilities, window by window. Positions that are spread over a window's samples tell them
    /// as surely as all do, for a fraction of the time.
    pub(super) fn languages(
        &self,
        whisper: &Whisper,
        windows: &[&[f32]],
    ) -> Result<Vec<Vec<(String, f32)>>, RecogniserError> {
        const POSITIONS: usize = 128;
        let [_, audio_ctx, width] = self.shape;
        let mut values = Vec::with_capacity(windows.len() * POSITIONS * width);
        for (window, pcm) in windows.iter().enumerate() {
            let spoken = pcm.len().div_ceil((POSITION_S * SAMPLE_RATE as f64) as usize).clamp(1, audio_ctx);
            for position in (0..POSITIONS).map(|position| position * spoken / POSITIONS) {
                let first = (window * audio_ctx + position) * width;
                values.extend_from_slice(&self.values[first..first + width]);
            }
        }
        let shape = [windows.len(), POSITIONS, width];
        let view = StorageView::new(&shape, &mut values, Device::CPU).map_err(failed("detecting the language"))?;
        let detected = whisper.detect_language(&view).map_err(failed("detecting the language"))?;
        let named = |one: DetectionResult| {
            let code = one.language.trim_start_matches("<|").trim_end_matches("|>");
            (code.to_owned(), one.probability)
        };
        Ok(detected.into_iter().map(|window| window.into_iter().map(named).collect()).collect())
    }

    /// For CTranslate2, which takes a copy.
    pub(super) fn view(&mut self) -> Result<StorageView<'_>, RecogniserError> {
        StorageView::new(&self.shape, &mut self.values, Device::CPU).map_err(failed("decoding"))
    }
}

/// The numbers in a storage in main memory, which are of 32 bits where weights are of 8.
fn read<'a>(storage: &'a StorageView<'static>) -> &'a [f32] {
    let size = usize::try_from(storage.size()).unwrap_or_default();
    let object = std::ptr::from_ref(&**storage).cast::<c_void>();
    // SAFETY: `object` is the storage that ct2rs keeps a pointer to, and lives as long as `storage`; its buffer
    // holds so many numbers.
    unsafe { std::slice::from_raw_parts(storage_buffer(object).cast::<f32>(), size) }
}

unsafe extern "C" {
    /// `const void* ctranslate2::StorageView::buffer() const`. ct2rs hands storages on, but has nothing that reads one.
    #[link_name = "_ZNK11ctranslate211StorageView6bufferEv"]
    fn storage_buffer(storage: *const c_void) -> *const c_void;
}
