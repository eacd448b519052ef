//! Audio to what the decoder attends to. Windows are encoded one by one: together they would be no faster, and the
//! attention of eight takes a gigabyte.

use std::{ffi::c_void, sync::atomic::AtomicBool};

use ct2rs::{
    Device,
    sys::{StorageView, Whisper},
};

use super::{
    super::{RecogniserError, check_cancelled},
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
