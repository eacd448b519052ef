//! What cannot be recognised, or not with these weights, is refused with a reason.

use std::{fs, sync::atomic::AtomicBool};

use transcription_worker::recogniser::{Recogniser, RecogniserError};

use crate::sound::{RECOGNISER, SECOND, english, weights};

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
        let error = Recogniser::load(&path, 1).err().unwrap_or_else(|| panic!("{name} was loaded"));
        assert!(matches!(error, RecogniserError::Weights { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let missing = Recogniser::load(&folder.path().join("missing.bin"), 1).err().unwrap();
    assert!(missing.to_string().contains("missing.bin"), "{missing}");
}

#[test]
fn more_than_can_be_heard_at_once_is_refused() {
    let mut session = RECOGNISER.session().unwrap();
    let error = session.recognise(&vec![0.1; 31 * SECOND], &english(), &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().contains("31 s"), "{error}");
}

#[test]
fn a_language_that_nobody_speaks_is_refused() {
    let mut session = RECOGNISER.session().unwrap();
    let options = transcription_worker::recogniser::RecogniseOptions { language: "klingon".to_owned(), ..english() };
    let error = session.recognise(&vec![0.1; SECOND], &options, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().contains("klingon"), "{error}");
}
