//! Edit lists of mp4 files: what was cut away in an editor is not heard, though it is in the file.

use std::{ops::Range, slice};

use crate::{
    made::made,
    sound::{SECOND, best_fit, speech},
    workbench::Workbench,
};

/// What plays of the sample, in milliseconds, one part after the other.
type Edits<'a> = &'a [Range<u32>];

const MILLISECONDS_PER_SECOND: u32 = 1_000;
const MEDIA_RATE: u32 = 16_000;
/// What AAC's encoder puts before the sound, in samples.
const ENCODER_DELAY: u32 = 1_024;

/// The file with another edit list. Its index lies behind its sound, so that nothing moves when it grows.
fn edited(mut mp4: Vec<u8>, edits: Edits<'_>) -> Vec<u8> {
    let mut list = Vec::new();
    for edit in edits {
        list.extend((edit.end - edit.start).to_be_bytes());
        list.extend((ENCODER_DELAY + edit.start * (MEDIA_RATE / MILLISECONDS_PER_SECOND)).to_be_bytes());
        list.extend([0, 1, 0, 0]);
    }
    let at = position(&mp4, b"elst");
    let old = 12 * number(&mp4, at + 8) as usize;
    mp4[at + 8..at + 12].copy_from_slice(&(edits.len() as u32).to_be_bytes());
    mp4.splice(at + 12..at + 12 + old, list.iter().copied());
    for kind in [b"elst", b"edts", b"trak", b"moov"] {
        let at = position(&mp4, kind) - 4;
        let length = number(&mp4, at) + list.len() as u32 - old as u32;
        mp4[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    mp4
}

fn position(mp4: &[u8], kind: &[u8; 4]) -> usize {
    mp4.windows(4).rposition(|four| four == kind).unwrap()
}

fn number(mp4: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(mp4[at..at + 4].try_into().unwrap())
}

#[tokio::test]
async fn what_was_cut_away_is_not_heard() {
    let speech = speech();
    let check = async |command: &str, tolerated_s: f64, edits: Edits<'_>| {
        let bench = Workbench::new();
        made(&bench, "whole.mp4", command);
        let bytes = edited(std::fs::read(bench.path("whole.mp4")).unwrap(), edits);
        let ingested = bench.ingest(&bench.file("edited.mp4", &bytes)).await.unwrap();
        let at = |milliseconds: u32| milliseconds as usize * SECOND / 1_000;
        let length_s: f64 = edits.iter().map(|edit| f64::from(edit.end - edit.start) / 1_000.0).sum();
        let duration_s = ingested.plan.duration_s;
        assert!((duration_s - length_s).abs() < tolerated_s, "{command} {edits:?}: {duration_s} s, and not {length_s}");
        let heard = bench.laid_out(&ingested).await;
        let mut start = 0;
        for edit in edits {
            let part = &speech[at(edit.start)..at(edit.end)];
            let (delay, likeness) = best_fit(part, &heard[start..]);
            let is_there = likeness > 0.9 && (delay as f64 / SECOND as f64).abs() < tolerated_s;
            assert!(is_there, "{command} {edits:?}, {edit:?}: likeness {likeness}, delay {delay}");
            start += part.len();
        }
        assert_eq!(ingested.plan.warnings, [], "{command} {edits:?}");
    };
    let (own, foreign) = ("$FF -c:a aac $OUT", "$FF -ar 16000 -ac 6 -c:a aac $OUT");
    // ffmpeg plays the packet in which a part ends to that packet's end.
    for (command, tolerated_s) in [(own, 0.005), (foreign, 0.13)] {
        check(command, tolerated_s, slice::from_ref(&(0..4_000))).await;
        check(command, tolerated_s, &[2_000..4_000, 6_000..9_000]).await;
    }
    // Only ffmpeg plays parts in another order than they lie in the file.
    check(own, 0.13, &[6_000..9_000, 0..2_000]).await;
}
