//! Recordings with several audio tracks: the one that somebody speaks in, the one that is asked for, or all of them.

use std::num::NonZeroU32;

use engine::{
    job::{AudioOptions, Track},
    warning::WarningCode,
};

use crate::{
    made::made,
    sound::{best_fit, speech},
    workbench::Workbench,
};

const SILENCE_AND_SPEECH: [(&str, &str); 2] = [
    ("own.mkv", "ffmpeg -v error -f lavfi -t 11 -i anullsrc=r=16000:cl=mono -i $J -map 0:a -map 1:a -c:a aac $OUT"),
    (
        "foreign.mkv",
        "ffmpeg -v error -f lavfi -t 11 -i anullsrc=r=48000:cl=mono -i $J -map 0:a -map 1:a -c:a ac3 -ar 48000 $OUT",
    ),
];

#[tokio::test]
async fn the_track_that_is_asked_for_is_heard_or_the_one_with_the_speech() {
    for (name, command) in SILENCE_AND_SPEECH {
        let bench = Workbench::new();
        let source = made(&bench, name, command);
        let numbered = |number| Some(Track::Number(NonZeroU32::new(number).unwrap()));
        for (track, has_speech, warnings) in [
            (None, true, vec![WarningCode::OtherTracks]),
            (numbered(1), false, Vec::new()),
            (numbered(2), true, Vec::new()),
            (Some(Track::All), true, Vec::new()),
        ] {
            let audio = AudioOptions { track, ..AudioOptions::default() };
            let ingested = bench.ingest_with(&source, audio).await.unwrap();
            let plan = &ingested.plan;
            assert!((plan.duration_s - 11.0).abs() < 0.15, "{name}, {track:?}: {} s", plan.duration_s);
            assert_eq!(plan.speech_s > 7.5, has_speech, "{name}, {track:?}: {} s of speech", plan.speech_s);
            let codes: Vec<WarningCode> = plan.warnings.iter().map(|warning| warning.code).collect();
            assert_eq!(codes, warnings, "{name}, {track:?}");
            // Each has a plan of its own.
            assert!(!ingested.reused && bench.ingest_with(&source, audio).await.unwrap().reused, "{name}, {track:?}");
        }
        let audio = AudioOptions { track: numbered(3), ..AudioOptions::default() };
        let refused = bench.ingest_with(&source, audio).await.unwrap_err();
        let expected = format!("{source} has 2 audio tracks and no number 3; name one that there is, or all");
        assert_eq!(refused.message, expected);
    }
}

#[tokio::test]
async fn all_tracks_are_heard_at_their_times() {
    let bench = Workbench::new();
    let source = made(
        &bench,
        "talk.mkv",
        "$FF -i $J -filter_complex '[1:a]adelay=12000[late]' -map 0:a -map '[late]' -c:a flac $OUT",
    );
    let audio = AudioOptions { track: Some(Track::All), ..AudioOptions::default() };
    let ingested = bench.ingest_with(&source, audio).await.unwrap();
    let heard = bench.laid_out(&ingested).await;
    let speech = speech();
    for start in [0, 12] {
        let (delay, likeness) = best_fit(&speech, &heard[start * 16_000..]);
        assert!(likeness > 0.95 && delay.abs() < 32, "from {start} s: likeness {likeness}, delay {delay}");
    }
}
