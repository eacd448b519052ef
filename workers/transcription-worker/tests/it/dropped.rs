//! Speech that is heard has text, and what has none is told.

use crate::sound::{SECOND, english, recognise, recognisers, spoken, text};

/// Whisper leaves speech out where it is monotonous: half a minute of numbers without a pause.
#[test]
fn numbers_without_a_pause_are_all_written() {
    let said: Vec<String> = (1..=60).map(|number| number.to_string()).collect();
    let pcm = spoken(&said.join(" "));
    for recogniser in recognisers() {
        let mut heard = Vec::new();
        for chunk in pcm.chunks(26 * SECOND) {
            let chunk = recognise(recogniser, chunk, &english());
            assert!(chunk.unrecognised.is_empty(), "{:?}", chunk.unrecognised);
            let mut covered = 0.0;
            for segment in &chunk.segments {
                assert!(segment.start - covered < 3.0, "{} s to {} s", covered, segment.start);
                covered = segment.end;
            }
            heard.push(text(&chunk));
        }
        let heard = heard.join(" ");
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        // Some run into each other, but none of them is left out.
        assert!(digits(&heard) * 10 >= digits(&said.concat()) * 9, "{}: {heard}", recogniser.program());
    }
}
