//! One run of whisper.cpp that ends early when the caller cancels.

use std::{
    cell::Cell,
    ffi::c_void,
    sync::atomic::{AtomicBool, Ordering},
};

use whisper_rs::{FullParams, WhisperError, WhisperState, WhisperSysContext, WhisperSysState};

/// What whisper.cpp asks while it runs, all of it on the thread that runs it.
pub(super) struct Window<'a> {
    cancel: &'a AtomicBool,
    encodings_left: Cell<u32>,
}

impl<'a> Window<'a> {
    /// whisper.cpp goes on after the last time that it wrote; `encodings` bounds how often it encodes.
    pub(super) fn new(cancel: &'a AtomicBool, encodings: u32) -> Self {
        Self { cancel, encodings_left: Cell::new(encodings) }
    }

    /// Runs until done or cancelled. Only the flag tells which: whisper-rs reads whisper.cpp's codes wrongly.
    pub(super) fn run(
        &self,
        state: &mut WhisperState,
        mut parameters: FullParams<'_, '_>,
        pcm: &[f32],
    ) -> Result<(), WhisperError> {
        let window = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: `self` outlives the run below, which takes the parameters and the pointers in
        // them; both callbacks only read through the pointer, and do not unwind.
        unsafe {
            parameters.set_abort_callback(Some(is_cancelled));
            parameters.set_abort_callback_user_data(window);
            parameters.set_start_encoder_callback(Some(may_encode));
            parameters.set_start_encoder_callback_user_data(window);
        }
        let result = state.full(parameters, pcm);
        if self.cancel.load(Ordering::Relaxed) { Ok(()) } else { result }
    }
}

unsafe extern "C" fn is_cancelled(window: *mut c_void) -> bool {
    // SAFETY: `Window::run` passes a window that lives as long as the run.
    let window = unsafe { &*window.cast::<Window<'_>>() };
    window.cancel.load(Ordering::Relaxed)
}

unsafe extern "C" fn may_encode(_: *mut WhisperSysContext, _: *mut WhisperSysState, window: *mut c_void) -> bool {
    // SAFETY: as in `is_cancelled`.
    let window = unsafe { &*window.cast::<Window<'_>>() };
    let left = window.encodings_left.get();
    window.encodings_left.set(left.saturating_sub(1));
    left > 0 && !window.cancel.load(Ordering::Relaxed)
}
