//! Recordings as samples, and the recogniser with the model that a worker uses where nobody names one.

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, atomic::AtomicBool},
};

use engine::{
    assets::{cache_folder, whisper_weights},
    config::{self, CacheSettings, Quantisation},
    job::SpeechTask,
};
use transcription_worker::recogniser::{RecogniseOptions, Recogniser, Recognition};

pub(crate) const SECOND: usize = 16_000;

/// Loaded once for all tests; each has sessions of its own.
pub(crate) static RECOGNISER: LazyLock<Recogniser> = LazyLock::new(|| Recogniser::load(&weights(), 2).unwrap());

/// Whisper base in 8 bits, fetched where it is missing.
pub(crate) fn weights() -> PathBuf {
    let cache: CacheSettings = config::load().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cache = cache_folder(&cache);
    runtime.block_on(whisper_weights("base", Quantisation::Q8_0, &cache, &|_| ())).unwrap().path
}

/// What most tests want to hear: English speech as it is, without the times of words.
pub(crate) fn english() -> RecogniseOptions {
    RecogniseOptions { language: "en".to_owned(), task: SpeechTask::Transcribe, prompt: None, words: false }
}

pub(crate) fn recognise(pcm: &[f32], options: &RecogniseOptions) -> Recognition {
    RECOGNISER.session().unwrap().recognise(pcm, options, &AtomicBool::new(false)).unwrap()
}

pub(crate) fn text(recognition: &Recognition) -> String {
    recognition.segments.iter().map(|segment| segment.text.as_str()).collect::<String>().trim().to_owned()
}

/// The repository's sample: 11 s of an American president.
pub(crate) fn jfk() -> Vec<f32> {
    read("../../samples/jfk.flac")
}

pub(crate) fn german() -> Vec<f32> {
    read("tests/samples/german.flac")
}

pub(crate) fn russian() -> Vec<f32> {
    read("tests/samples/russian.flac")
}

fn read(path: &str) -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut reader = claxon::FlacReader::open(path).unwrap();
    assert_eq!((reader.streaminfo().sample_rate as usize, reader.streaminfo().channels), (SECOND, 1));
    reader.samples().map(|sample| sample.unwrap() as f32 / 32_768.0).collect()
}
