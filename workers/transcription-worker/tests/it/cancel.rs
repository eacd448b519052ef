//! A cancelled recognition that is under way ends early.

use std::sync::atomic::{AtomicBool, Ordering};

use transcription_worker::recogniser::RecogniserError;

use crate::sound::{english, jfk, recognisers};

#[test]
fn a_cancelled_recognition_ends_early() {
    for recogniser in recognisers() {
        let cancel = AtomicBool::new(false);
        let begun = AtomicBool::new(false);
        let mut session = recogniser.session().unwrap();
        let pcm = jfk();
        let heard = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !begun.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                cancel.store(true, Ordering::Relaxed);
            });
            // Chunk after chunk until the flag is noticed: however the two threads meet, it has to be.
            for _ in 0..20 {
                begun.store(true, Ordering::Relaxed);
                session.recognise(&[&pcm], &english(), &cancel)?;
            }
            Ok(())
        });
        assert!(matches!(heard, Err(RecogniserError::Cancelled)), "{heard:?}");

        let heard = session.recognise(&[&pcm], &english(), &AtomicBool::new(false)).unwrap();
        assert!(!heard[0].segments.is_empty(), "a session is good for more after it was cancelled");
    }
}
