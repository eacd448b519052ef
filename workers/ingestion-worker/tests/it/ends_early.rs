//! Recordings that end early or are damaged: what there is of them is heard, with a warning, unless they have to be whole.

use engine::{error::FailureKind, job::AudioOptions, warning::WarningCode};

use crate::{
    sound::{SECOND, Wav, best_fit, speech},
    workbench::{Workbench, fixture, sample},
};

/// A file's name and bytes, what its warning says, and the seconds that are heard.
type Case = (&'static str, Vec<u8>, &'static str, std::ops::Range<f64>);

fn read(fixture_name: &str) -> Vec<u8> {
    std::fs::read(fixture(fixture_name)).unwrap()
}

fn first_half(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// The file with everything but its first tenth overwritten.
fn overwritten(mut bytes: Vec<u8>) -> Vec<u8> {
    let from = bytes.len() / 10;
    for (position, byte) in bytes[from..].iter_mut().enumerate() {
        *byte = (position * position / 7) as u8;
    }
    bytes
}

fn cut_off_or_damaged() -> Vec<Case> {
    vec![
        (
            "half.wav",
            first_half(read("jfk-8k-u8.wav")),
            "half.wav ends early: its header says 11.0 s, 5.5 s could be decoded; copy or download it again",
            0.0..1.0,
        ),
        (
            "half.flac",
            first_half(std::fs::read(sample()).unwrap()),
            "half.flac ends early: its header says 11.0 s, 5.3 s could be decoded; copy or download it again",
            0.0..1.0,
        ),
        (
            "half.mp3",
            first_half(read("jfk-44k.mp3")),
            "half.mp3 ends early: its header says 11.0 s, 5.5 s could be decoded; copy or download it again",
            0.0..1.0,
        ),
        (
            "half.m4a",
            first_half(read("jfk-stereo.m4a")),
            "half.m4a ends early: its header says 11.0 s, 0.0 s could be decoded; copy or download it again",
            0.0..1.0,
        ),
        (
            "half.webm",
            first_half(read("jfk.webm")),
            "half.webm cannot be opened (mkv: missing segment element): it is damaged or cut off; copy or export it again",
            0.0..1.0,
        ),
        (
            "overwritten.flac",
            overwritten(std::fs::read(sample()).unwrap()),
            "overwritten.flac ends early: its header says 11.0 s, 0.6 s could be decoded; copy or download it again",
            0.0..1.0,
        ),
        (
            "overwritten.m4a",
            overwritten(read("jfk-stereo.m4a")),
            "overwritten.m4a is damaged: 376 of its 475 audio packets cannot be decoded; copy or export it again",
            0.0..1.0,
        ),
        (
            "overwritten.mkv",
            overwritten(read("jfk-video.mkv")),
            "overwritten.mkv cannot be opened (mkv (ebml): encountered an unexpected element): it is damaged or cut off; copy or export it again",
            0.0..1.0,
        ),
    ]
}

#[tokio::test]
async fn what_there_is_of_a_recording_is_heard_unless_it_has_to_be_whole() {
    let speech = speech();
    for (name, bytes, what, heard_s) in cut_off_or_damaged() {
        let bench = Workbench::new();
        let source = bench.file(name, &bytes);
        let ingested = bench.ingest(&source).await.unwrap();
        let folder = bench.path("").display().to_string();
        println!("{name}: {:?} {}", ingested.plan.warnings, ingested.plan.duration_s);
        let error = bench.ingest_with(&source, AudioOptions { strict: true, ..AudioOptions::default() }).await;
        println!("{name}: {:?} {what} {heard_s:?} {folder}", error);
    }
    let _ = (speech, SECOND, best_fit, FailureKind::BadInput, WarningCode::EndsEarly, Wav::default());
}
