//! Recordings as samples, and the recognisers with the model that a worker uses where nobody names one.

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, atomic::AtomicBool},
};

use engine::{
    config::{self, CacheSettings, Quantisation},
    job::SpeechTask,
};
use models::{Cache, Format};
use transcription_worker::recogniser::{Layout, RecogniseOptions, Recogniser, Recognition};

pub(crate) const SECOND: usize = 16_000;

pub(crate) const LAYOUT: Layout = Layout { sessions: 2, threads: 1, batch: 4 };

/// Loaded once for all tests; each has sessions of its own.
static RECOGNISERS: LazyLock<Vec<Recogniser>> = LazyLock::new(|| {
    vec![
        Recogniser::whisper(&weights(), LAYOUT).unwrap(),
        #[cfg(feature = "ctranslate2")]
        Recogniser::ctranslate2(&ctranslate2_folder(), LAYOUT).unwrap(),
    ]
});

/// What is asked of whisper.cpp alone: CTranslate2 draws a word before a long pause, and takes a second of Russian for
/// noise.
pub(crate) fn whisper() -> &'static Recogniser {
    &RECOGNISERS[0]
}

pub(crate) fn recognisers() -> &'static [Recogniser] {
    &RECOGNISERS
}

/// Whisper base in 8 bits for whisper.cpp, fetched where it is missing.
pub(crate) fn weights() -> PathBuf {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(Format::Ggml(Quantisation::Q8_0).weights("base", &cache(), &|_| ())).unwrap().path
}

/// Whisper base for CTranslate2, fetched where it is missing.
#[cfg(feature = "ctranslate2")]
pub(crate) fn ctranslate2_folder() -> PathBuf {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(Format::Ctranslate2.weights("base", &cache(), &|_| ())).unwrap().path
}

fn cache() -> Cache {
    let settings: CacheSettings = config::load().unwrap();
    Cache::of(&settings)
}

/// What most tests want to hear: English speech as it is, without the times of words.
pub(crate) fn english() -> RecogniseOptions {
    RecogniseOptions { language: "en".to_owned(), task: SpeechTask::Transcribe, prompt: None, words: false }
}

pub(crate) fn recognise(recogniser: &Recogniser, pcm: &[f32], options: &RecogniseOptions) -> Recognition {
    let mut session = recogniser.session().unwrap();
    session.recognise(&[pcm], options, &AtomicBool::new(false)).unwrap().remove(0)
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
