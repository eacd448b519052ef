//! Languages are told apart, written down, and translated.

use std::sync::atomic::AtomicBool;

use engine::job::SpeechTask;
use transcription_worker::recogniser::RecogniseOptions;

use crate::sound::{english, german, jfk, recognise, recognisers, russian, text, whisper};

/// The Russian sample is left out: its one second is too little for this model to tell.
#[test]
fn languages_are_told_apart() {
    for recogniser in recognisers() {
        let mut session = recogniser.session().unwrap();
        for (expected, pcm) in [("en", jfk()), ("de", german())] {
            let languages = session.detect_language(&pcm, &AtomicBool::new(false)).unwrap();
            let (likeliest, probability) = &languages[0];
            assert_eq!(likeliest, expected, "{:?}", &languages[..3]);
            assert!(*probability > 0.5, "{expected}: {probability}");
            let sum: f32 = languages.iter().map(|(_, probability)| probability).sum();
            assert!((sum - 1.0).abs() < 0.01, "{sum}");
        }
    }
}

/// Whisper has learnt Cantonese with `large-v3`.
#[test]
fn a_language_that_the_model_has_not_learnt_is_not_known_nor_heard() {
    for recogniser in recognisers() {
        for (language, is_known) in [("en", true), ("su", true), ("yue", false)] {
            assert_eq!(recogniser.knows_language(language), is_known, "{language}, {}", recogniser.program());
        }
        let languages = recogniser.session().unwrap().detect_language(&jfk(), &AtomicBool::new(false)).unwrap();
        assert_eq!(languages.len(), 99);
        assert!(languages.iter().all(|(language, _)| recogniser.knows_language(language)), "{languages:?}");
    }
}

#[test]
fn speech_is_written_in_its_language_or_in_english() {
    for recogniser in recognisers() {
        for (language, task, pcm, expected) in [
            ("de", SpeechTask::Transcribe, german(), "die Badehose"),
            ("de", SpeechTask::Translate, german(), "On the beach"),
        ] {
            let options = RecogniseOptions { language: language.to_owned(), task, ..english() };
            let heard = text(&recognise(recogniser, &pcm, &options));
            assert!(heard.contains(expected), "{language}, {task:?}, {}: {heard}", recogniser.program());
        }
    }
}

#[test]
fn other_scripts_come_whole() {
    let options = RecogniseOptions { language: "ru".to_owned(), words: true, ..english() };
    let heard = recognise(whisper(), &russian(), &options);
    let words: String =
        heard.segments.iter().flat_map(|segment| &segment.words).map(|word| word.word.as_str()).collect();
    for written in [text(&heard), words] {
        let letters: Vec<char> = written.chars().filter(|c| c.is_alphabetic()).collect();
        assert!(letters.len() >= 8 && letters.iter().all(|c| ('\u{400}'..='\u{4ff}').contains(c)), "{written}");
    }
}
