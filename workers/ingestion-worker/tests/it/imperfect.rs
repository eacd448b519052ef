//! Recordings that are not as they should be, and are heard all the same.

use crate::{
    sound::{SECOND, best_fit, speech},
    workbench::{Workbench, fixture},
};

/// How far a sound may be from its place after a repair: an mp3 file's own padding, twice.
const NEAR: u64 = SECOND as u64 / 10;

#[tokio::test]
async fn joined_files_are_heard_to_the_end() {
    let speech = speech();
    for name in ["jfk-44k.mp3", "jfk.opus"] {
        let bench = Workbench::new();
        let bytes = std::fs::read(fixture(name)).unwrap().repeat(2);
        let ingested = bench.ingest(&bench.file(name, &bytes)).await.unwrap();
        assert!((ingested.plan.duration_s - 22.0).abs() < 0.1, "{name} lasts {} s", ingested.plan.duration_s);
        let second = bench.laid_out(&ingested).await.split_off(11 * SECOND);
        let (delay, likeness) = best_fit(&speech, &second);
        assert!(likeness > 0.95 && delay.unsigned_abs() < NEAR, "{name}: likeness {likeness}, delay {delay}");
    }
}

#[tokio::test]
async fn what_follows_damaged_packets_keeps_its_place() {
    let speech = speech();
    for name in ["jfk.opus", "jfk-22k.ogg", "jfk-stereo.m4a", "jfk-video.mp4"] {
        let bench = Workbench::new();
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        let third = bytes.len() / 3;
        bytes[third..third + 3_000].fill(0);
        let ingested = bench.ingest(&bench.file(name, &bytes)).await.unwrap();
        let end = bench.laid_out(&ingested).await.split_off(8 * SECOND);
        let (delay, likeness) = best_fit(&speech[8 * SECOND..10 * SECOND], &end);
        assert!(likeness > 0.9 && delay.unsigned_abs() < NEAR, "{name}: likeness {likeness}, delay {delay}");
    }
}
