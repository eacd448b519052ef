//! What is no speech gives no chunks, and quiet speech is not taken for silence.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use engine::error::FailureKind;
use ingestion_worker::ingest;
use tokio_util::sync::CancellationToken;

use crate::{
    sound::{SECOND, pcm, random, speech, tone, wav},
    workbench::{Workbench, fixture},
};

/// One minute of everything that has no words in it.
fn wordless() -> Vec<(&'static str, Vec<f64>)> {
    let minute = 60 * SECOND;
    let white: Vec<f64> = random(minute).iter().map(|sample| 0.3 * sample).collect();
    let faint = white.iter().map(|sample| 0.03 * sample).collect();
    let brown = white
        .iter()
        .scan(0.0, |level, step| {
            *level = 0.995 * *level + 0.1 * step;
            Some(*level)
        })
        .collect();
    let (low, high) = (tone(220.0, 60), tone(277.2, 60));
    let chord = low.iter().zip(&high).map(|(low, high)| low + high).collect();
    vec![
        ("digital silence", vec![0.0; minute]),
        ("mains hum", tone(50.0, 60)),
        ("a tone", tone(440.0, 60)),
        ("a chord", chord),
        ("white noise", white),
        ("faint white noise", faint),
        ("brown noise", brown),
    ]
}

#[tokio::test]
async fn a_recording_without_speech_has_a_plan_without_chunks() {
    for (name, sound) in wordless() {
        let bench = Workbench::new();
        let ingested = bench.ingest(&bench.file("wordless.wav", &wav(&pcm(&sound)))).await.unwrap();
        let plan = ingested.plan;
        assert_eq!((plan.units, plan.chunks, plan.duration_s), (0, 0, 60.0), "{name}: {} s of speech", plan.speech_s);
    }
}

#[tokio::test]
async fn speech_is_found_however_quiet_and_in_noise() {
    let speech = speech();
    let noise = random(speech.len());
    for (name, volume, noise_volume) in
        [("as it is", 1.0, 0.0), ("-20 dB", 0.1, 0.0), ("-50 dB", 0.003, 0.0), ("noisy", 1.0, 600.0)]
    {
        let sound: Vec<i16> = speech
            .iter()
            .zip(&noise)
            .map(|(sample, noise)| (f64::from(*sample) * volume + noise * noise_volume).round() as i16)
            .collect();
        let bench = Workbench::new();
        let ingested = bench.ingest(&bench.file("speech.wav", &wav(&sound))).await.unwrap();
        let found = ingested.plan.speech_s;
        assert!((7.5..=11.0).contains(&found), "{name}: {found} s of speech in 11 s");
    }
}

/// An Opus file in Ogg with so many seconds of nothing before each of its pages but the first and the last, whose place
/// only tells where the sound ends.
fn with_gaps(ogg: &[u8], gap_s: u64) -> (Vec<u8>, u64) {
    const HEADERS: u64 = 2;
    const RATE: u64 = 48_000;
    let (mut pages, mut rest, mut written) = (0, ogg, Vec::new());
    while !rest.is_empty() {
        let segments = &rest[27..27 + usize::from(rest[26])];
        let length = 27 + segments.len() + segments.iter().map(|length| usize::from(*length)).sum::<usize>();
        let (page, after) = rest.split_at(length);
        let mut page = page.to_vec();
        if pages > HEADERS {
            let gaps = pages - HEADERS - u64::from(after.is_empty());
            let at = u64::from_le_bytes(page[6..14].try_into().unwrap()) + gaps * gap_s * RATE;
            page[6..14].copy_from_slice(&at.to_le_bytes());
        }
        page[22..26].fill(0);
        let checksum = checksum(&page);
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        written.extend(page);
        (pages, rest) = (pages + 1, after);
    }
    (written, pages - HEADERS - 2)
}

/// Ogg's CRC.
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum, byte| {
        (0..8)
            .fold(sum ^ u32::from(*byte) << 24, |sum, _| if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 })
    })
}

#[tokio::test]
async fn long_gaps_are_passed_over_and_not_heard() {
    const GAP_S: u64 = 3_500;
    let mut bench = Workbench::new();
    let (sparse, gaps) = with_gaps(&std::fs::read(fixture("jfk.opus")).unwrap(), GAP_S);
    assert!(gaps > 5, "{gaps} gaps");
    let source = bench.file("sparse.opus", &sparse);
    let heard = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&heard);
    let progress = move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let never = CancellationToken::new();
    let ingested = ingest(bench.resources(), &source, None, &never, progress, |_| ()).await;
    let plan = ingested.unwrap().plan;
    let expected = 11.0 + (gaps * GAP_S) as f64;
    assert!((plan.duration_s - expected).abs() < 1.0, "{} s, and not {expected}", plan.duration_s);
    assert!(plan.speech_s > 5.0, "{} s of speech", plan.speech_s);
    let heard = u64::from(heard.load(Ordering::Relaxed));
    assert!(heard < 20 * gaps, "{heard} s were told one by one");

    let (sparser, _) = with_gaps(&std::fs::read(fixture("jfk.opus")).unwrap(), GAP_S - 1);
    bench.settings.max_source_hours = 3;
    let source = bench.file("sparser.opus", &sparser);
    let refused = bench.ingest(&source).await.unwrap_err();
    let expected = format!(
        "{source} is longer than 3 h, gaps included; split it, or raise LONGHAND_MAX_SOURCE_HOURS on the ingestion worker"
    );
    assert_eq!((refused.kind, refused.message), (FailureKind::BadInput, expected));
}
