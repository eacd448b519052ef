//! Whether what is there at the end is what should be there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use engine::store::keys::{self, Kind};
use test_stack::Stack;

use super::{
    World,
    model::{Job, Kept, Model, State, kept},
};

/// Jobs that needed a recording, as the store says, by its hash.
type References = BTreeMap<String, BTreeSet<String>>;

pub(super) async fn check(stack: &Stack, world: &World, model: &Model) {
    let stored = stored(stack);
    let references = check_every_object(&stored, world, model);
    for (id, job) in &model.jobs {
        check_state(world, id, job).await;
        check_references(&references, &stored, world, id, job);
        check_told(world, id, job);
    }
    let states = |state: State| model.jobs.values().filter(|job| job.state == state).count();
    let [completed, cancelled, absent] = [State::Completed, State::Cancelled, State::Absent].map(states);
    eprintln!("of the jobs, {completed} are completed, {cancelled} cancelled, {absent} gone; {} objects", stored.len());
}

async fn check_state(world: &World, id: &str, job: &Job) {
    let shown = world.web.show(id).await;
    let status = match (kept(id), job.state) {
        (Kept::Nothing, _) | (_, State::Absent) => None,
        (_, State::Completed) => Some("completed"),
        (_, State::Cancelled) => Some("cancelled"),
        (_, State::Unknown) => return,
        (_, State::Begun) => panic!("{id} was never waited for"),
    };
    assert_eq!(
        (shown.status, shown.body["status"].as_str()),
        (if status.is_some() { 200 } else { 404 }, status),
        "{id}"
    );
    if status == Some("completed") {
        let made_of = shown.body["provenance"]["audio_sha256"].as_str();
        let is_of = |number: &usize| made_of == Some(world.recordings[*number].sha256.as_str());
        assert!(job.heard.iter().any(is_of), "{id} is of another recording: {shown:?}, {job:?}");
    }
}

fn check_references(references: &References, stored: &BTreeSet<String>, world: &World, id: &str, job: &Job) {
    let of = |number: &usize| world.recordings[*number].sha256.as_str();
    let (needs, may_need): (BTreeSet<_>, BTreeSet<_>) =
        (job.needs.iter().map(of).collect(), job.may_need.iter().map(of).collect());
    let named = references.iter().filter(|(_, jobs)| jobs.contains(id)).map(|(recording, _)| recording.as_str());
    let named: BTreeSet<_> = named.collect();
    match kept(id) {
        Kept::All => {
            assert!(needs.is_subset(&named), "{id} has lost its recordings: {named:?}, {job:?}");
            assert!(
                named.iter().all(|name| needs.contains(name) || may_need.contains(name)),
                "{id}: {named:?}, {job:?}"
            );
            let missing = needs.iter().find(|recording| !stored.contains(&keys::upload(recording)));
            assert_eq!(missing, None, "{id} needs it");
        }
        Kept::Transcript | Kept::Nothing => assert_eq!(named, BTreeSet::new(), "{id}: its time is over: {job:?}"),
    }
}

fn check_told(world: &World, id: &str, job: &Job) {
    let status = match job.state {
        State::Completed => "completed",
        State::Cancelled => "cancelled",
        _ => return,
    };
    if job.tells == Some(true) && kept(id) != Kept::Nothing {
        assert!(world.receiver.was_told(id, status), "nobody was told that {id} is {status}");
    }
}

/// Everything belongs to a job that is there, or to a recording that one needs.
fn check_every_object(stored: &BTreeSet<String>, world: &World, model: &Model) -> References {
    let is_there = |id: &str| {
        let absent = model.jobs.get(id).is_none_or(|job| job.state == State::Absent);
        kept(id) != Kept::Nothing && !absent
    };
    let mut references = References::new();
    for key in stored {
        if let Kind::Reference { recording, job } = Kind::of(key) {
            references.entry(recording.to_owned()).or_default().insert(job.to_owned());
        }
    }
    for key in stored {
        let belongs = match Kind::of(key) {
            Kind::Upload(recording) | Kind::Plan(recording) | Kind::Unit(recording) | Kind::Checkpoint(recording) => {
                references.contains_key(recording) && world.recordings.iter().any(|known| known.sha256 == recording)
            }
            Kind::Reference { job, .. } | Kind::Result(job) | Kind::JobRecording { job, .. } | Kind::Job(job) => {
                is_there(job)
            }
            Kind::Batch(batch) => model.batches.contains_key(batch),
            _ => *key == keys::references_complete(),
        };
        assert!(belongs, "it is nobody's: {key}");
    }
    references
}

fn stored(stack: &Stack) -> BTreeSet<String> {
    let root = stack.folder().join("store");
    let mut found = BTreeSet::new();
    walk(&root, &root, &mut found);
    found
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let path = entry.path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}
