//! Running ingestion again, stopping it, and following it.

use std::sync::{Arc, Mutex};

use engine::{
    error::FailureKind, hash::sha256_of, job::Source, store::keys, temporal::contracts::SegmentationProgress,
};
use ingestion_worker::ingest;
use tokio_util::sync::CancellationToken;

use crate::{
    sound::{speech, wav},
    workbench::{Workbench, sample},
};

#[tokio::test]
async fn the_same_audio_is_segmented_once_wherever_it_comes_from() {
    let bench = Workbench::new();
    let path = Source::Path(sample().display().to_string());
    let first = bench.ingest(&path).await.unwrap();
    assert!(!first.reused);

    let sha256 = first.plan.audio_sha256.clone();
    assert_eq!(first.folder, keys::plan_folder(&sha256, "v3-180s"));
    // The upload itself is not there: its key is enough to find the plan.
    let upload = Source::Object(keys::upload(&sha256));
    bench.store.write("talks/copy", std::fs::read(sample()).unwrap()).await.unwrap();
    for source in [path, upload, Source::Object("talks/copy".to_owned())] {
        let again = bench.ingest(&source).await.unwrap();
        assert_eq!((again.reused, &again.plan, &again.folder), (true, &first.plan, &first.folder), "{source}");
    }
}

#[tokio::test]
async fn an_upload_is_ingested_where_it_lies() {
    let bench = Workbench::new();
    let bytes = std::fs::read(sample()).unwrap();
    let key = keys::upload(&sha256_of(&sample()).unwrap());
    bench.store.write(&key, bytes).await.unwrap();
    let ingested = bench.ingest(&Source::Object(key.clone())).await.unwrap();
    assert_eq!(keys::upload(&ingested.plan.audio_sha256), key);
    assert!(ingested.plan.speech_s > 0.0);
    let missing = Source::Object(keys::upload(&"0".repeat(64)));
    let error = bench.ingest(&missing).await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.starts_with("the store has no object uploads/0000")),
        (FailureKind::BadInput, true)
    );
}

#[tokio::test]
async fn an_upload_that_is_not_what_was_sent_is_refused_and_makes_room_for_another() {
    let bench = Workbench::new();
    let good = std::fs::read(sample()).unwrap();
    let key = keys::upload(&sha256_of(&sample()).unwrap());
    for damaged in [&[], &good[..good.len() / 2], &b"RIFF"[..]] {
        bench.store.write(&key, damaged.to_vec()).await.unwrap();
        let error = bench.ingest(&Source::Object(key.clone())).await.unwrap_err();
        assert_eq!(error.kind, FailureKind::BadInput);
        assert!(error.message.contains(&key) && error.message.contains("send the recording again"), "{error}");
        assert!(!bench.store.exists(&key).await.unwrap(), "{} bytes", damaged.len());
    }
    bench.store.write(&key, good).await.unwrap();
    assert!(bench.ingest(&Source::Object(key)).await.unwrap().plan.speech_s > 0.0);
}

#[tokio::test]
async fn units_of_another_length_are_another_plan() {
    let mut bench = Workbench::new();
    let source = Source::Path(sample().display().to_string());
    let folder = bench.ingest(&source).await.unwrap().folder;
    bench.settings.unit_seconds = 60;
    let other = bench.ingest(&source).await.unwrap();
    assert_ne!(other.folder, folder);
    assert!(!other.reused);
}

#[tokio::test]
async fn what_is_in_the_store_is_told_while_more_comes() {
    let mut bench = Workbench::new();
    bench.settings.unit_seconds = 60;
    let source = bench.file("minutes.wav", &wav(&speech().repeat(30)));
    let reported = Arc::new(Mutex::new(Vec::new()));
    let reports = Arc::clone(&reported);
    let on_segmented = move |so_far| reports.lock().unwrap().push(so_far);
    let never = CancellationToken::new();
    let ingested = ingest(bench.resources(), &source, None, &never, |_| (), on_segmented).await.unwrap();

    let units = bench.units(&ingested).await;
    assert!(units.len() > 2, "{} units", units.len());
    let ends = units.iter().map(|(unit, _)| unit.chunks.last().unwrap().index + 1);
    let expected =
        (1..).zip(ends).map(|(units, chunks)| SegmentationProgress { folder: ingested.folder.clone(), units, chunks });
    // The end of ingestion tells of the last unit.
    assert_eq!(*reported.lock().unwrap(), expected.take(units.len() - 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cancelled_ingestion_stops_at_once_and_leaves_no_plan() {
    let bench = Workbench::new();
    let half_an_hour = wav(&speech().repeat(164));
    let source = bench.file("long.wav", &half_an_hour);
    let cancelled = CancellationToken::new();
    let reported = Arc::new(Mutex::new(Vec::new()));
    let (stop, reports) = (cancelled.clone(), Arc::clone(&reported));
    let progress = move |seconds: f64| {
        reports.lock().unwrap().push(seconds);
        if seconds >= 60.0 {
            stop.cancel();
        }
    };
    let error = ingest(bench.resources(), &source, None, &cancelled, progress, |_| ()).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Cancelled);
    let reported = reported.lock().unwrap().clone();
    assert!(reported.is_sorted() && reported[0] == 1.0, "progress goes up second by second: {reported:?}");
    assert!(reported.last().is_some_and(|last| *last <= 61.0), "it went on to {:?} s", reported.last());
    let left = bench.store.list("audio").await.unwrap();
    assert!(!left.iter().any(|key| key.ends_with("plan.json")), "{left:?}");
}

#[tokio::test]
async fn an_ingestion_cancelled_before_it_begins_does_nothing() {
    let bench = Workbench::new();
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let source = Source::Path(sample().display().to_string());
    let error = ingest(bench.resources(), &source, None, &cancelled, |_| (), |_| ()).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Cancelled);
    assert_eq!(bench.store.list("audio").await.unwrap(), Vec::<String>::new());
}
