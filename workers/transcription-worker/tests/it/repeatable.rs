//! The same samples give the same text, whatever was recognised before them: a chunk that is lost with its worker and
//! recognised again by another one fits in with those that were kept.

use std::sync::atomic::AtomicBool;

use crate::sound::{RECOGNISER, SECOND, english, jfk, recognise, text};

#[test]
fn text_does_not_depend_on_what_was_heard_before() {
    let sample = jfk();
    let repeated: Vec<f32> = sample.iter().copied().cycle().take(240 * SECOND).collect();
    let mut session = RECOGNISER.session().unwrap();
    for chunk in repeated.chunks(28 * SECOND) {
        let after_others = session.recognise(chunk, &english(), &AtomicBool::new(false)).unwrap();
        let alone = recognise(chunk, &english());
        assert_eq!(text(&after_others), text(&alone));
        assert_eq!(after_others, alone);
    }
}
