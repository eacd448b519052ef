//! Prompts and hotwords lead the recogniser; they are not what was said.

use engine::job::SpeechTask;
use transcription_worker::recogniser::RecogniseOptions;

use crate::sound::{english, german, jfk, recognise, recognisers, spoken, text};

/// More than a model takes of a sentence that a model likes to go on with.
#[test]
fn a_prompt_that_is_too_long_is_cut_and_not_repeated() {
    let endless = "The quick brown fox jumps over the lazy dog. ".repeat(1_000);
    let varied: String = (0..1_000).map(|number| format!("Item {number} is blue. ")).collect();
    for (prompt, is_cut) in [(endless, false), (varied, true), ("A speech.".to_owned(), false)] {
        for recogniser in recognisers() {
            let options = RecogniseOptions { prompt: Some(prompt.clone()), ..english() };
            let heard = recognise(recogniser, &jfk(), &options);
            let start: String = prompt.chars().take(40).collect();
            assert!(text(&heard).to_lowercase().ends_with("for your country."), "{start}: {}", text(&heard));
            assert!(text(&heard).starts_with("And so"), "{start}: {}", text(&heard));
            assert_eq!(heard.is_prompt_cut, is_cut, "{start}");
        }
    }
}

#[test]
fn hotwords_are_written_as_they_are_given() {
    const TERMS: [&str; 9] = [
        "Imogen Featherstone",
        "Wojciech Kowalczyk",
        "Beatrix Vandenberg",
        "Slipway",
        "Abernathy",
        "Castellanos",
        "Raghunathan",
        "Levetiracetam",
        "Oswald Tregenza",
    ];
    let sentences = [
        "Please ask Imogen Featherstone to call back.",
        "Wojciech Kowalczyk and Beatrix Vandenberg deployed Slipway on Thursday.",
        "The Abernathy account belongs to Yvonne Castellanos.",
        "Doctor Raghunathan prescribed Levetiracetam to Oswald Tregenza.",
    ];
    for recogniser in recognisers() {
        let written = |hotwords: &[&str]| {
            let hotwords = hotwords.iter().map(|term| (*term).to_owned()).collect();
            let options = RecogniseOptions { hotwords, ..english() };
            let heard = sentences.map(|sentence| text(&recognise(recogniser, &spoken(sentence), &options))).join(" ");
            (TERMS.iter().filter(|term| heard.contains(**term)).count(), heard)
        };
        let (without, _) = written(&[]);
        let (with, heard) = written(&TERMS);
        assert!(with >= without + 5, "{without} and {with}, {}: {heard}", recogniser.program());
    }
}

#[test]
fn a_translation_does_not_go_round() {
    let options = RecogniseOptions { language: "de".to_owned(), task: SpeechTask::Translate, ..english() };
    for recogniser in recognisers() {
        let heard = text(&recognise(recogniser, &german(), &options));
        assert!(heard.to_lowercase().matches("the boat train").count() < 3, "{heard}");
    }
}
