//! What cannot be recognised, or not with these weights, is refused with a reason.

use std::{fs, sync::atomic::AtomicBool};

use transcription_worker::recogniser::{RecogniseOptions, Recogniser, RecogniserError};

use crate::sound::{LAYOUT, SECOND, english, recognisers, weights};

#[test]
fn files_that_are_no_model_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let model = fs::read(weights()).unwrap();
    for (name, bytes) in [
        ("empty.bin", Vec::new()),
        ("text.bin", b"these are no weights\n".repeat(100)),
        ("header-only.bin", model[..48].to_vec()),
        ("half.bin", model[..model.len() / 2].to_vec()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = Recogniser::whisper(&path, LAYOUT).err().unwrap_or_else(|| panic!("{name} was loaded"));
        assert!(matches!(error, RecogniserError::Weights { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let missing = Recogniser::whisper(&folder.path().join("missing.bin"), LAYOUT).err().unwrap();
    assert!(missing.to_string().contains("missing.bin"), "{missing}");
}

#[cfg(feature = "ctranslate2")]
#[test]
fn folders_that_hold_no_whole_model_are_refused_by_name() {
    let model = crate::sound::ctranslate2_folder();
    let weights = fs::read(model.join("model.bin")).unwrap();
    let copy = |name: &str, without: &str| {
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        for file in ["config.json", "tokenizer.json", "vocabulary.txt"].iter().filter(|file| **file != without) {
            fs::copy(model.join(file), folder.path().join(file)).unwrap();
        }
        folder
    };
    for (name, without, weights) in [
        ("empty", "", &b""[..]),
        ("text", "", b"these are no weights"),
        ("half", "", &weights[..weights.len() / 2]),
        ("no-config", "config.json", &weights),
        ("no-tokenizer", "tokenizer.json", &weights),
        ("no-vocabulary", "vocabulary.txt", &weights),
    ] {
        let folder = copy(name, without);
        fs::write(folder.path().join("model.bin"), weights).unwrap();
        let error = Recogniser::ctranslate2(folder.path(), LAYOUT).err().unwrap_or_else(|| panic!("{name} was loaded"));
        assert!(matches!(error, RecogniserError::Weights { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn more_than_can_be_heard_at_once_is_refused() {
    for recogniser in recognisers() {
        let mut session = recogniser.session().unwrap();
        let chunks = [vec![0.1; SECOND], vec![0.1; 31 * SECOND]];
        let chunks = chunks.each_ref().map(Vec::as_slice);
        let error = session.recognise(&chunks, &english(), &AtomicBool::new(false)).unwrap_err();
        assert!(error.to_string().contains("31 s"), "{error}");
    }
}

#[test]
fn a_language_that_nobody_speaks_is_refused() {
    let options = RecogniseOptions { language: "klingon".to_owned(), ..english() };
    for recogniser in recognisers() {
        let mut session = recogniser.session().unwrap();
        let error = session.recognise(&[&[0.1; SECOND]], &options, &AtomicBool::new(false)).unwrap_err();
        assert!(error.to_string().contains("klingon"), "{error}");
    }
}
