//! The same samples give the same text, whatever was recognised before them or with them: a chunk that is lost with its worker and
//! recognised again by another one fits in with those that were kept.

use std::sync::atomic::AtomicBool;

use crate::sound::{SECOND, english, jfk, recognise, recognisers, text};

#[test]
fn text_does_not_depend_on_what_was_heard_before() {
    let sample = jfk();
    let repeated: Vec<f32> = sample.iter().copied().cycle().take(240 * SECOND).collect();
    let chunks: Vec<&[f32]> = repeated.chunks(28 * SECOND).collect();
    let samples: Vec<usize> = chunks.iter().map(|chunk| chunk.len()).collect();
    for recogniser in recognisers() {
        let mut session = recogniser.session().unwrap();
        for batch in recogniser.batches(&samples) {
            let batch: Vec<&[f32]> = batch.into_iter().map(|place| chunks[place]).collect();
            let with_others = session.recognise(&batch, &english(), &AtomicBool::new(false)).unwrap();
            for (chunk, with_others) in batch.into_iter().zip(with_others) {
                let alone = recognise(recogniser, chunk, &english());
                assert_eq!(text(&with_others), text(&alone), "{}", recogniser.program());
                assert_eq!(with_others, alone, "{}", recogniser.program());
            }
        }
    }
}
