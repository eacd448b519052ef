//! Every format gives the sample's speech, at the right time.

use engine::job::Source;

use crate::{
    sound::{SECOND, best_fit, speech},
    workbench::{Workbench, fixture, sample},
};

struct Format {
    file: &'static str,
    codec: &'static str,
    rate: u32,
    channels: u32,
    /// Seconds of the sample that the file holds.
    part: std::ops::Range<f64>,
    /// Seconds of silence before it.
    silence: f64,
}

const WHOLE: std::ops::Range<f64> = 0.0..11.0;

const FORMATS: [Format; 11] = [
    Format { file: "jfk-8k-u8.wav", codec: "pcm_u8", rate: 8_000, channels: 1, part: WHOLE, silence: 0.0 },
    Format {
        file: "jfk-48k-stereo-s24.wav",
        codec: "pcm_s24le",
        rate: 48_000,
        channels: 2,
        part: 3.3..3.7,
        silence: 0.0,
    },
    Format { file: "jfk-44k.mp3", codec: "mp3", rate: 44_100, channels: 1, part: WHOLE, silence: 0.0 },
    Format { file: "jfk-22k.ogg", codec: "vorbis", rate: 22_050, channels: 1, part: WHOLE, silence: 0.0 },
    Format { file: "jfk.opus", codec: "opus", rate: 48_000, channels: 1, part: WHOLE, silence: 0.0 },
    Format { file: "jfk.webm", codec: "opus", rate: 16_000, channels: 1, part: WHOLE, silence: 0.0 },
    Format { file: "jfk-video.mkv", codec: "vorbis", rate: 32_000, channels: 1, part: WHOLE, silence: 0.0 },
    Format { file: "jfk-stereo.m4a", codec: "aac", rate: 44_100, channels: 2, part: WHOLE, silence: 0.0 },
    Format { file: "jfk-video.mp4", codec: "aac", rate: 48_000, channels: 1, part: WHOLE, silence: 0.0 },
    Format { file: "jfk-late-video.mp4", codec: "aac", rate: 24_000, channels: 1, part: WHOLE, silence: 2.0 },
    Format { file: "jfk.flac", codec: "flac", rate: 16_000, channels: 1, part: WHOLE, silence: 0.0 },
];

#[tokio::test]
async fn every_format_gives_the_same_speech_at_the_same_time() {
    let speech = speech();
    for format in FORMATS {
        let bench = Workbench::new();
        let path = if format.file == "jfk.flac" { sample() } else { fixture(format.file) };
        let ingested = bench.ingest(&Source::Path(path.display().to_string())).await.unwrap();
        let found = &ingested.plan.format;
        let expected = (format.codec, format.rate, format.channels);
        assert_eq!((found.codec.as_str(), found.sample_rate, found.channels), expected, "{}", format.file);

        let at = |seconds: f64| (seconds * SECOND as f64).round() as usize;
        let reference = &speech[at(format.part.start)..at(format.part.end)];
        let length = format.silence + format.part.end - format.part.start;
        let duration = ingested.plan.duration_s;
        assert!((duration - length).abs() <= 0.05, "{} lasts {duration} s", format.file);

        let sound = bench.laid_out(&ingested).await.split_off(at(format.silence));
        let (delay, likeness) = best_fit(reference, &sound);
        assert!(likeness > 0.95, "{}: likeness {likeness} at a delay of {delay} samples", format.file);
        assert!(delay.unsigned_abs() as usize <= SECOND / 1_000, "{} is {delay} samples late", format.file);
    }
}
