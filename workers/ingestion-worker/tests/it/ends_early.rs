//! Recordings that end early or are damaged: what there is of them is heard, with a warning, unless they have to be whole.

use engine::{error::FailureKind, job::AudioOptions, warning::WarningCode};

use crate::{
    sound::{SECOND, best_fit, speech},
    workbench::{Workbench, fixture, sample},
};

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

/// What is missing or damaged, as errors and warnings say it, with what helps.
const CASES: [(&str, &str, &str, f64); 7] = [
    ("half.wav", "ends early: its header says 11.0 s, 5.5 s could be decoded", COPY, 5.5),
    ("half.flac", "ends early: its header says 11.0 s, 5.3 s could be decoded", COPY, 5.3),
    ("half.mp3", "ends early: its header says 11.0 s, 5.5 s could be decoded", COPY, 5.5),
    ("half.m4a", "ends early: its header says 11.0 s, 5.3 s could be decoded", COPY, 5.3),
    ("half.webm", "ends early: its header says 11.0 s, 5.6 s could be decoded", COPY, 5.6),
    ("overwritten.flac", "ends early: its header says 11.0 s, 0.6 s could be decoded", COPY, 0.6),
    ("overwritten.m4a", "is damaged: 376 of its 475 audio packets cannot be decoded", EXPORT, 0.7),
];
const COPY: &str = "copy or download it again";
const EXPORT: &str = "copy or export it again";

/// The bytes of a case.
fn bytes_of(name: &str) -> Vec<u8> {
    match name {
        "half.wav" => first_half(read("jfk-8k-u8.wav")),
        "half.flac" => first_half(std::fs::read(sample()).unwrap()),
        "half.mp3" => first_half(read("jfk-44k.mp3")),
        "half.m4a" => first_half(read("jfk-stereo.m4a")),
        "half.webm" => first_half(read("jfk.webm")),
        "overwritten.flac" => overwritten(std::fs::read(sample()).unwrap()),
        "overwritten.m4a" => overwritten(read("jfk-stereo.m4a")),
        unknown => panic!("{unknown}"),
    }
}

#[tokio::test]
async fn what_there_is_of_a_recording_is_heard_unless_it_has_to_be_whole() {
    let speech = speech();
    let strict = AudioOptions { strict: true, ..AudioOptions::default() };
    for (name, what, remedy, since_s) in CASES {
        let bench = Workbench::new();
        let source = bench.file(name, &bytes_of(name));
        let refusal = Err((FailureKind::BadInput, format!("{source} {what}; {remedy}")));
        let refused = async || bench.ingest_with(&source, strict).await.map_err(|error| (error.kind, error.message));
        assert_eq!(refused().await.map(drop), refusal);

        let ingested = bench.ingest(&source).await.unwrap();
        let [warning] = ingested.plan.warnings.as_slice() else { panic!("{name}: {:?}", ingested.plan.warnings) };
        let told = format!("{source} {what}: what there is of it is transcribed; {remedy} for the rest");
        assert_eq!((warning.code, &warning.message), (WarningCode::EndsEarly, &told));
        assert!(warning.start.is_some_and(|start| (start - since_s).abs() < 0.06), "{name}: {:?}", warning.start);
        let sound = (since_s.min(5.0) * SECOND as f64) as usize;
        let (delay, likeness) = best_fit(&speech[..sound], &bench.laid_out(&ingested).await);
        assert!(likeness > 0.9 && delay.abs() < 1_100, "{name}: likeness {likeness}, delay {delay}");

        // The plan that is there is good for whoever takes what there is, and for nobody else.
        assert!(bench.ingest(&source).await.unwrap().reused, "{name}");
        assert_eq!(refused().await.map(drop), refusal);
    }
}
