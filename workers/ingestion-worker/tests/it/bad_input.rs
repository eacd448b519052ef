//! What cannot be transcribed is told apart, never retried, and named with a way out.

use engine::{error::FailureKind, job::Source};

use crate::{
    sound::{Wav, wav},
    workbench::{Workbench, fixture, sample},
};

/// A file's name and bytes, and the error without the file's folder.
type Case = (&'static str, Vec<u8>, &'static str);

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

fn no_recordings() -> Vec<Case> {
    vec![
        ("empty.wav", Vec::new(), "empty.wav is empty: it has 0 bytes; check the recording"),
        (
            "text.wav",
            b"Dear diary, this is no sound.\n".repeat(100),
            "text.wav is no recording: its bytes are none of wav, flac, mp3, ogg, opus, m4a, mp4, webm and mkv; check the file",
        ),
        (
            "video.mp4",
            read("video-only.mp4"),
            "video.mp4 has no audio track: there is nothing to transcribe; export it with its sound",
        ),
        ("zero-length.wav", wav(&[]), "zero-length.wav holds no audio: its track is empty; check the recording"),
    ]
}

fn wrong_headers() -> Vec<Case> {
    let kilobyte = vec![0; 980];
    vec![
        (
            "0-hz.wav",
            Wav { rate: 0, ..Wav::default() }.file(&kilobyte),
            "0-hz.wav is damaged: its header says 0 Hz, and recordings have 1000 to 768000 Hz; copy or export it again",
        ),
        (
            "4-ghz.wav",
            Wav { rate: u32::MAX, ..Wav::default() }.file(&kilobyte),
            "4-ghz.wav is damaged: its header says 4294967295 Hz, and recordings have 1000 to 768000 Hz; copy or export it again",
        ),
        (
            "0-channels.wav",
            Wav { channels: 0, ..Wav::default() }.file(&kilobyte),
            "0-channels.wav cannot be opened (riff: invalid channel count): it is damaged or cut off; copy or export it again",
        ),
        (
            "0-bits.wav",
            Wav { bits: 0, ..Wav::default() }.file(&kilobyte),
            "0-bits.wav cannot be opened (wav: bits per sample for fmt_pcm must be 8, 16, 24 or 32 bits): it is damaged or cut off; copy or export it again",
        ),
        (
            "4-gb.wav",
            Wav { claimed: Some(u32::MAX - 15), ..Wav::default() }.file(&kilobyte),
            "4-gb.wav ends early: its header says 134217.7 s, 0.0 s could be decoded; copy or download it again",
        ),
        (
            "open-length.wav",
            Wav { claimed: Some(u32::MAX), ..Wav::default() }.file(&kilobyte),
            "open-length.wav ends early: its header says 4 GB or leaves the length open, 0.0 s could be decoded; copy or download it again",
        ),
        (
            "half-a-header.wav",
            wav(&[0; 100])[..20].to_vec(),
            "half-a-header.wav cannot be opened (unexpected end of file): it is damaged or cut off; copy or export it again",
        ),
    ]
}

fn cut_off_or_damaged() -> Vec<Case> {
    vec![
        (
            "half.wav",
            first_half(read("jfk-8k-u8.wav")),
            "half.wav ends early: its header says 11.0 s, 5.5 s could be decoded; copy or download it again",
        ),
        (
            "half.flac",
            first_half(std::fs::read(sample()).unwrap()),
            "half.flac ends early: its header says 11.0 s, 5.3 s could be decoded; copy or download it again",
        ),
        (
            "half.mp3",
            first_half(read("jfk-44k.mp3")),
            "half.mp3 ends early: its header says 11.0 s, 5.5 s could be decoded; copy or download it again",
        ),
        (
            "half.m4a",
            first_half(read("jfk-stereo.m4a")),
            "half.m4a ends early: its header says 11.0 s, 0.0 s could be decoded; copy or download it again",
        ),
        (
            "half.webm",
            first_half(read("jfk.webm")),
            "half.webm cannot be opened (mkv: missing segment element): it is damaged or cut off; copy or export it again",
        ),
        (
            "overwritten.flac",
            overwritten(std::fs::read(sample()).unwrap()),
            "overwritten.flac ends early: its header says 11.0 s, 0.6 s could be decoded; copy or download it again",
        ),
        (
            "overwritten.m4a",
            overwritten(read("jfk-stereo.m4a")),
            "overwritten.m4a is damaged: 376 of its 475 audio packets cannot be decoded; copy or export it again",
        ),
        (
            "overwritten.mkv",
            overwritten(read("jfk-video.mkv")),
            "overwritten.mkv cannot be opened (mkv (ebml): encountered an unexpected element): it is damaged or cut off; copy or export it again",
        ),
    ]
}

#[tokio::test]
async fn bad_files_are_refused_with_a_reason_and_a_way_out() {
    for (name, bytes, message) in no_recordings().into_iter().chain(wrong_headers()).chain(cut_off_or_damaged()) {
        let bench = Workbench::new();
        let error = bench.ingest(&bench.file(name, &bytes)).await.unwrap_err();
        let folder = bench.path("").display().to_string();
        assert_eq!((error.kind, error.message.replace(&folder, "").as_str()), (FailureKind::BadInput, message));
        assert!(!bench.store.list("audio").await.unwrap().iter().any(|key| key.ends_with("plan.json")), "{name}");
    }
}

#[tokio::test]
async fn sources_that_are_no_files_are_refused_with_a_reason_and_a_way_out() {
    let mut bench = Workbench::new();
    bench.settings.max_source_mb = 1;
    std::fs::create_dir(bench.path("talks")).unwrap();
    bench.file("large.wav", &vec![0; 1_000_001]);
    let listener = std::os::unix::net::UnixListener::bind(bench.path("socket")).unwrap();
    for (source, message) in [
        (
            bench.source("missing.wav"),
            "missing.wav does not exist on the ingestion worker; check the path, or upload the file",
        ),
        (
            bench.source("large.wav/inside"),
            "large.wav/inside does not exist on the ingestion worker; check the path, or upload the file",
        ),
        (
            bench.source("talks"),
            "talks is a directory, not a recording; name a file in it, or submit all of them as a batch",
        ),
        (bench.source("socket"), "socket is no regular file; copy the recording to one"),
        (
            bench.source("large.wav"),
            "large.wav is larger than 1 MB; split it, or raise LONGHAND_MAX_SOURCE_MB on the ingestion worker",
        ),
        (Source::Object("uploads/missing".to_owned()), "the store has no object uploads/missing"),
        (
            Source::Url("http://127.0.0.1:9/talk.mp3".to_owned()),
            "http://127.0.0.1:9/talk.mp3 leads to 127.0.0.1 in a private network; give a public address, or set LONGHAND_ALLOW_PRIVATE_URLS=true on the ingestion worker",
        ),
        (
            Source::Url("talk.mp3".to_owned()),
            "talk.mp3 is no http or https address: relative URL without a base; check it",
        ),
    ] {
        let error = bench.ingest(&source).await.unwrap_err();
        let folder = bench.path("").display().to_string();
        assert_eq!((error.kind, error.message.replace(&folder, "").as_str()), (FailureKind::BadInput, message));
    }
    drop(listener);
}
