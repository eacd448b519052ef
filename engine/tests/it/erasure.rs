//! Recordings go with their last owner, whoever comes or dies meanwhile. On a folder, without Temporal.

use std::{collections::BTreeMap, time::Duration};

use engine::{
    config::StoreSettings,
    erasure::{self, Scope},
    ids::JobId,
    references,
    store::{Created, Store, keys},
};
use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;

const PLAN: &str = "v3-180s";

fn open(folder: &TempDir) -> Store {
    Store::open(&StoreSettings { url: Some(folder.path().display().to_string()) }).unwrap()
}

fn sha256(recording: u64) -> String {
    format!("{recording:064x}")
}

fn job(name: &str) -> JobId {
    name.parse().unwrap()
}

/// As a job does: claims, looks for a plan, makes what is missing, and concludes.
async fn run_job(store: &Store, job: &JobId, recording: &str) {
    references::claim(store, recording, job).await.unwrap();
    let folder = keys::plan_folder(recording, PLAN);
    if !store.exists(&keys::plan(&folder)).await.unwrap() {
        store.write(&keys::upload(recording), "bytes").await.unwrap();
        store.write(&keys::unit_audio(&folder, 0), "pcm").await.unwrap();
        store.write_json(&keys::unit(&folder, 0), &json!({})).await.unwrap();
        let made: Created = store.create_json(&keys::plan(&folder), &json!({})).await.unwrap();
        // Somebody else may have made it at the same time.
        assert!(matches!(made, Created::Now | Created::Before));
    }
    store.write_json(&keys::chunk(&folder, "hash", 0), &json!({})).await.unwrap();
    store.write_json(&keys::llm_answer(job.as_str(), "summary"), &json!("short")).await.unwrap();
    store.write_json(&keys::result(job.as_str()), &json!({})).await.unwrap();
}

async fn purge(store: &Store, job: &JobId) {
    erasure::job(store, job.as_str(), Scope::Everything).await.unwrap();
}

/// All that a job which is through needs of its recording.
async fn assert_whole(store: &Store, recording: &str, why: &str) {
    let folder = keys::plan_folder(recording, PLAN);
    let needed = [
        keys::upload(recording),
        keys::plan(&folder),
        keys::unit(&folder, 0),
        keys::unit_audio(&folder, 0),
        keys::chunk(&folder, "hash", 0),
    ];
    for key in needed {
        assert!(store.exists(&key).await.unwrap(), "{why}: {key} is missing");
    }
}

async fn all(store: &Store) -> Vec<String> {
    let mut keys = store.list("").await.unwrap();
    keys.sort();
    keys
}

#[tokio::test]
async fn a_recording_stays_until_its_last_owner_goes() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let (one, other, recording) = (job("one"), job("acme:other"), sha256(1));
    run_job(&store, &one, &recording).await;
    run_job(&store, &other, &recording).await;

    purge(&store, &one).await;
    assert_whole(&store, &recording, "the other needs it").await;
    assert!(all(&store).await.iter().all(|key| !key.contains("/one")), "{:?}", all(&store).await);
    assert_eq!(references::jobs(&store, &recording).await.unwrap(), std::slice::from_ref(&other));

    let erased = erasure::job(&store, other.as_str(), Scope::Recording).await.unwrap();
    assert_eq!(erased.objects, 5, "what was heard");
    assert_eq!(all(&store).await, ["jobs/acme:other/llm/summary.json", "jobs/acme:other/result.json"]);

    purge(&store, &other).await;
    purge(&store, &other).await;
    assert_eq!(all(&store).await, [""; 0]);
}

/// What a process leaves that is killed after each of the steps in turn.
#[tokio::test]
async fn an_erasure_that_broke_off_is_ended_and_takes_nothing_from_who_came_meanwhile() {
    let recording = sha256(1);
    let folder = keys::plan_folder(&recording, PLAN);
    let in_order = [
        keys::result("dying"),
        keys::llm_answer("dying", "summary"),
        keys::reference(&recording, "dying"),
        keys::plan(&folder),
        keys::upload(&recording),
        keys::unit(&folder, 0),
        keys::unit_audio(&folder, 0),
    ];
    for (steps, came_meanwhile) in (0..=in_order.len()).flat_map(|steps| [(steps, false), (steps, true)]) {
        let place = TempDir::new().unwrap();
        let store = open(&place);
        run_job(&store, &job("dying"), &recording).await;
        store.delete_all(in_order[..steps].to_vec()).await.unwrap();
        if steps > 2 {
            store.write(&keys::erasing(&recording, "dying"), Vec::new()).await.unwrap();
        }
        let (newcomer, came) = (job("new"), format!("after {steps} steps"));
        let coming = async {
            if came_meanwhile {
                run_job(&store, &newcomer, &recording).await;
            }
        };
        let ending = async {
            if came_meanwhile && steps > 2 {
                // It has said that it needs the recording, and waits.
                while references::jobs(&store, &recording).await.unwrap().is_empty() {
                    tokio::task::yield_now().await;
                }
            }
            purge(&store, &job("dying")).await;
        };
        tokio::join!(coming, ending);
        if came_meanwhile {
            assert_whole(&store, &recording, &came).await;
            assert!(all(&store).await.iter().all(|key| !key.contains("dying")), "{came}: {:?}", all(&store).await);
            purge(&store, &newcomer).await;
        }
        assert_eq!(all(&store).await, [""; 0], "{came}");
    }
}

#[tokio::test]
async fn whoever_comes_waits_until_the_last_eraser_has_finished() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let recording = sha256(1);
    let tombstones = ["one", "other"].map(|eraser| keys::erasing(&recording, eraser));
    for tombstone in &tombstones {
        store.write(tombstone, Vec::new()).await.unwrap();
    }
    let newcomer = job("new");
    let mut claim = std::pin::pin!(references::claim(&store, &recording, &newcomer));
    for tombstone in tombstones {
        assert!(tokio::time::timeout(Duration::from_millis(1), &mut claim).await.is_err(), "somebody erases still");
        store.delete(&tombstone).await.unwrap();
    }
    claim.await.unwrap();
}

/// Jobs on one recording come and go at once, again and again: whoever is through has all of it.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_come_never_lose_what_others_take_away() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let recording = sha256(1);
    for round in 0..100 {
        let leaving = [job(&format!("leaving-{round}")), job(&format!("leaving-too-{round}"))];
        for job in &leaving {
            run_job(&store, job, &recording).await;
        }
        let coming = job(&format!("coming-{round}"));
        let tasks = [Some(&leaving[0]), None, Some(&leaving[1])].map(|leaves| {
            let (store, recording, coming, leaves) =
                (store.clone(), recording.clone(), coming.clone(), leaves.cloned());
            tokio::spawn(async move {
                match leaves {
                    Some(job) => purge(&store, &job).await,
                    None => run_job(&store, &coming, &recording).await,
                }
            })
        });
        join_all(tasks).await.into_iter().for_each(Result::unwrap);
        assert_whole(&store, &recording, &format!("round {round}")).await;
        purge(&store, &coming).await;
        assert_eq!(all(&store).await, [""; 0], "round {round}");
    }
}

#[tokio::test]
async fn jobs_of_the_time_before_references_are_owners_too() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    let recording = sha256(7);
    let result = |audio_sha256: &str| {
        json!({
            "version": 1, "job_id": "old", "status": "completed", "text": "", "language": "", "duration_s": 1.0,
            "segments": [], "llm": {},
            "timings": {"queue_s": 0.0, "ingest_s": 0.0, "transcribe_s": 0.0, "llm_s": 0.0, "wall_s": 0.0, "recogniser_s": 0.0},
            "provenance": {
                "audio_sha256": audio_sha256, "model": "", "model_sha256": "", "recogniser": "", "parameters": null,
                "checkpoints": "", "chunks_total": 0, "chunks_computed": 0, "chunks_reused": 0, "chunks_recomputed": 0,
                "fallbacks": 0, "llm": {},
            },
        })
    };
    store.write_json(&keys::result("old"), &result(&recording)).await.unwrap();
    store.write_json(&keys::result("without"), &result("")).await.unwrap();
    store.write(&keys::result("broken"), "{").await.unwrap();
    let unrecorded = references::unrecorded(&store).await.unwrap();
    assert_eq!(unrecorded, [(recording.clone(), job("old"))]);
    references::complete(&store).await.unwrap();
    assert_eq!(references::jobs(&store, &recording).await.unwrap(), [job("old")]);
    assert_eq!(references::unrecorded(&store).await.unwrap(), [], "once and for all");
}

/// Seeded use of a store by random jobs, and a model of what should be there beside it.
#[tokio::test]
async fn the_store_agrees_with_a_model_after_any_use() {
    for seed in 1..=10 {
        let folder = TempDir::new().unwrap();
        let store = open(&folder);
        let mut random = Random(seed);
        // The recordings that each job has needed since it was last purged.
        let mut model: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for step in 0..60 {
            let (name, recording) = (format!("job-{}", random.below(5)), sha256(random.below(3)));
            match random.below(8) {
                // It is submitted, or run again with what may be another recording.
                0..4 => {
                    run_job(&store, &job(&name), &recording).await;
                    model.entry(name).or_default().push(recording);
                }
                // It is cancelled before it has done anything but say what it needs.
                4 => {
                    references::claim(&store, &recording, &job(&name)).await.unwrap();
                    model.entry(name).or_default().push(recording);
                }
                _ => {
                    purge(&store, &job(&name)).await;
                    model.remove(&name);
                }
            }
            check(&store, &model, &format!("seed {seed}, step {step}")).await;
        }
    }
}

async fn check(store: &Store, model: &BTreeMap<String, Vec<String>>, when: &str) {
    for recording in (0..3).map(sha256) {
        let owners = model.iter().filter(|(_, recordings)| recordings.contains(&recording)).map(|(name, _)| job(name));
        let mut known = references::jobs(store, &recording).await.unwrap();
        known.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        assert_eq!(known, owners.collect::<Vec<_>>(), "{when}: who needs {recording}");
    }
    for key in all(store).await {
        let kind = keys::Kind::of(&key);
        let is_of_owner =
            kind.recording().is_none_or(|recording| model.values().flatten().any(|needed| needed == recording));
        let is_of_job = kind.job().is_none_or(|job| model.contains_key(job));
        let is_tombstone = matches!(kind, keys::Kind::Erasing { .. });
        assert!(is_of_owner && is_of_job && !is_tombstone, "{when}: nobody needs {key}");
    }
}

/// A linear congruential generator, whose upper bits are the better ones.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
