//! What is heard is what was said, however long the chunk is and however the encoder's context is trimmed to it.

use crate::sound::{SECOND, english, jfk, recognise, recognisers, text};

const SAID: &str = "and so my fellow americans ask not what your country can do for you \
                    ask what you can do for your country";

#[test]
fn the_sample_is_heard_word_for_word() {
    for recogniser in recognisers() {
        let heard = recognise(recogniser, &jfk(), &english());
        assert_eq!(words(&text(&heard)), words(SAID));
        assert_eq!(heard.fallbacks, 0);
        for segment in &heard.segments {
            assert!(segment.avg_logprob > -0.5 && segment.avg_logprob < 0.0, "{}", segment.avg_logprob);
            assert!(
                segment.compression_ratio > 0.5 && segment.compression_ratio < 2.4,
                "{}",
                segment.compression_ratio
            );
            assert!(segment.no_speech_prob < 0.3, "{}", segment.no_speech_prob);
            assert!(!segment.tokens.is_empty() && segment.flags.is_empty(), "{segment:?}");
        }
    }
}

/// A context that is trimmed too tightly shows here: Whisper loops or drops the end.
#[test]
fn chunks_of_every_length_are_heard() {
    let once = jfk();
    for recogniser in recognisers() {
        for (from, to, said) in [
            (0.0, 2.6, "and so my fellow americans"),
            (3.1, 7.9, "ask not what your country can do for you"),
            (7.95, 11.0, "ask what you can do for your country"),
            (3.1, 11.0, "ask not what your country can do for you ask what you can do for your country"),
        ] {
            let at = |seconds: f64| (seconds * SECOND as f64) as usize;
            let heard = text(&recognise(recogniser, &once[at(from)..at(to)], &english()));
            assert_eq!(words(&heard), words(said), "{from} to {to} s, {}", recogniser.program());
        }
        let twice = [once.as_slice(), once.as_slice()].concat();
        let heard = text(&recognise(recogniser, &twice, &english()));
        assert_eq!(words(&heard), words(&format!("{SAID} {SAID}")), "22 s, {}", recogniser.program());
    }
}

#[test]
fn the_same_sound_gives_the_same_text() {
    for recogniser in recognisers() {
        let first = recognise(recogniser, &jfk(), &english());
        assert_eq!(recognise(recogniser, &jfk(), &english()), first);
    }
}

fn words(text: &str) -> Vec<String> {
    let letters: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
    letters.split_whitespace().map(str::to_owned).collect()
}
