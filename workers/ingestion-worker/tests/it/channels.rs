//! Recordings of several channels: mixed so that nothing is lost, or each channel by itself.

use std::{collections::BTreeSet, path::Path};

use engine::{
    job::{AudioOptions, Channels, Source},
    plan::Plan,
    store::keys,
    warning::WarningCode,
};
use ingestion_worker::Ingested;

use crate::{
    made::made,
    sound::{SECOND, best_fit, speech},
    workbench::{Workbench, sample},
};

fn german() -> Source {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../transcription-worker/tests/samples/german.flac");
    Source::Path(file.display().to_string())
}

/// The sample on the left from the beginning, German on the right from 12 s on. Each leaks to the other side as far as
/// that says.
fn call(bench: &Workbench, name: &str, leak: f64) -> Source {
    let command = format!(
        "$FF -i '{}' -filter_complex '[0:a]apad=whole_dur=30[l];[1:a]aresample=16000,aformat=channel_layouts=mono,\
         adelay=12000,apad=whole_dur=30[r];[l][r]amerge=inputs=2,pan=stereo|c0=c0+{leak}*c1|c1=c1+{leak}*c0' -t 30 $OUT",
        german()
    );
    made(bench, name, &command)
}

async fn channels(bench: &Workbench, ingested: &Ingested) -> BTreeSet<Option<u32>> {
    let units = bench.units(ingested).await;
    units.iter().flat_map(|(unit, _)| &unit.chunks).map(|chunk| chunk.channel).collect()
}

/// How like the sound is to the reference, which begins at this second of it, at whatever loudness.
fn likeness(reference: &[i16], sound: &[i16], second: usize) -> f64 {
    let end = sound.len().min(second * SECOND + reference.len());
    best_fit(reference, &sound[second * SECOND..end]).1
}

/// Seconds of the sound in which there is any.
fn heard_s(sound: &[i16]) -> usize {
    sound.chunks(SECOND).filter(|second| second.iter().any(|sample| sample.unsigned_abs() > 100)).count()
}

#[tokio::test]
async fn what_belongs_together_is_heard_once_and_in_full() {
    let speech = speech();
    for (name, command, warned) in [
        ("phase.wav", "$FF -af 'pan=stereo|c0=c0|c1=-1*c0' $OUT", true),
        ("faint-phase.flac", "$FF -af 'pan=stereo|c0=0.3*c0|c1=-1*c0,aresample=44100' $OUT", true),
        ("left.wav", "$FF -af 'pan=stereo|c0=c0|c1=0*c0' $OUT", true),
        ("right.ogg", "$FF -af 'pan=stereo|c0=0*c0|c1=c0' -ar 48000 -c:a libvorbis $OUT", true),
        ("same.wav", "$FF -af 'pan=stereo|c0=c0|c1=c0' $OUT", false),
        ("aside.wav", "$FF -af 'pan=stereo|c0=c0|c1=0.4*c0' $OUT", false),
        (
            "film.flac",
            "$FF -f lavfi -t 11 -i sine=40:r=16000 -filter_complex '[0:a][1:a]amerge=inputs=2,\
             pan=5.1|FL=0*c0|FR=0*c0|FC=c0|LFE=4*c1|BL=0*c0|BR=0*c0' $OUT",
            false,
        ),
        (
            "music.wav",
            "$FF -f lavfi -t 11 -i \"aevalsrc=0.05*sin(2*PI*220*t)*(1+sin(2*PI*2*t))|0.05*sin(2*PI*277*t)*(1+sin(2*PI*3*t))\
             :s=16000\" -filter_complex '[0:a]pan=stereo|c0=c0|c1=c0[v];[v][1:a]amix=inputs=2:normalize=0' $OUT",
            false,
        ),
    ] {
        let bench = Workbench::new();
        let source = made(&bench, name, command);
        for wanted in [Channels::Auto, Channels::Mix] {
            let audio = AudioOptions { channels: wanted, ..AudioOptions::default() };
            let ingested = bench.ingest_with(&source, audio).await.unwrap();
            assert_eq!(channels(&bench, &ingested).await, [None].into(), "{name}, {wanted:?}");
            let alike = likeness(&speech, &bench.laid_out(&ingested).await, 0).abs();
            assert!(alike > 0.9, "{name}, {wanted:?}: {alike}");
            let Plan { warnings, duration_s, speech_s, .. } = ingested.plan;
            let codes: Vec<WarningCode> = warnings.iter().map(|warning| warning.code).collect();
            assert_eq!(codes, vec![WarningCode::Channels; usize::from(warned)], "{name}, {wanted:?}: {warnings:?}");
            assert!(
                (duration_s - 11.0).abs() < 0.1 && (7.0..11.1).contains(&speech_s),
                "{name}: {speech_s} of {duration_s}"
            );
        }
    }
}

#[tokio::test]
async fn the_sides_of_a_call_are_heard_apart() {
    let bench = Workbench::new();
    let german = bench.ingest(&german()).await.unwrap();
    let (english, german) = (speech(), bench.laid_out(&german).await);
    for (name, leak) in [("call.wav", 0.0), ("leaky.wav", 0.08)] {
        let ingested = bench.ingest(&call(&bench, name, leak)).await.unwrap();
        assert_eq!(channels(&bench, &ingested).await, [Some(1), Some(2)].into(), "{name}");
        let left = bench.laid_out_of(&ingested, Some(1)).await;
        let right = bench.laid_out_of(&ingested, Some(2)).await;
        let alike = [likeness(&english, &left, 0), likeness(&german, &right, 12)];
        assert!(alike.iter().all(|alike| *alike > 0.9), "{name}: {alike:?}");
        // Neither is heard where the other one speaks.
        assert!(heard_s(&left[12 * SECOND..]) == 0 && heard_s(&right[..11 * SECOND]) == 0, "{name} leaks");
        assert_eq!(ingested.plan.warnings, [], "{name}");
        assert!(ingested.plan.speech_s < ingested.plan.duration_s, "{name}: {} s", ingested.plan.speech_s);
        assert_eq!((ingested.plan.format.channels, ingested.reused), (2, false));
    }
}

#[tokio::test]
async fn who_asks_is_given_a_mix_or_every_channel() {
    let bench = Workbench::new();
    let call = call(&bench, "call.wav", 0.0);
    let same = made(&bench, "same.wav", "$FF -af 'pan=stereo|c0=c0|c1=c0' $OUT");
    let mono = Source::Path(sample().display().to_string());
    let with = |channels| AudioOptions { channels, ..AudioOptions::default() };
    let mut folders = BTreeSet::new();
    for (source, wanted, expected) in [
        (&call, Channels::Auto, &[Some(1), Some(2)][..]),
        (&call, Channels::Mix, &[None]),
        (&call, Channels::Split, &[Some(1), Some(2)]),
        (&same, Channels::Auto, &[None]),
        (&same, Channels::Split, &[Some(1), Some(2)]),
    ] {
        let ingested = bench.ingest_with(source, with(wanted)).await.unwrap();
        let found = channels(&bench, &ingested).await;
        assert_eq!(found, expected.iter().copied().collect(), "{source}, {wanted:?}");
        assert!(folders.insert(ingested.folder), "{source}, {wanted:?} has a plan of its own");
        assert!(bench.ingest_with(source, with(wanted)).await.unwrap().reused, "{source}, {wanted:?}");
    }
    let first = bench.ingest(&mono).await.unwrap();
    for wanted in [Channels::Mix, Channels::Split] {
        let again = bench.ingest_with(&mono, with(wanted)).await.unwrap();
        assert_eq!((again.reused, &again.folder), (true, &first.folder), "one channel is as it is, {wanted:?}");
    }
}

#[tokio::test]
async fn plans_of_before_count_for_one_channel_only() {
    let bench = Workbench::new();
    for (name, command, counts) in
        [("mono.wav", "$FF -t 5 $OUT", true), ("stereo.wav", "$FF -t 5 -af 'pan=stereo|c0=c0|c1=-1*c0' $OUT", false)]
    {
        let source = made(&bench, name, command);
        let ingested = bench.ingest(&source).await.unwrap();
        let sha256 = &ingested.plan.audio_sha256;
        assert_eq!(ingested.folder == keys::plan_folder(sha256, "v3-180s"), counts, "{name}: {}", ingested.folder);
        // As it was left when the channels of all recordings were mixed alike.
        let before = Plan { units: 0, chunks: 0, ..ingested.plan.clone() };
        let other = Workbench::new();
        let folder = keys::plan_folder(sha256, "v3-180s");
        other.store.write_json(&keys::plan(&folder), &before).await.unwrap();
        let found = other.ingest(&source).await.unwrap();
        assert_eq!((found.reused, found.folder == folder), (counts, counts), "{name}");
    }
}
