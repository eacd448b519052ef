//! Taking jobs and recordings out of the store, so that one who dies in the middle leaves nothing that looks whole, and
//! one who begins again ends it. It knows nothing of Temporal: whoever calls it has stopped the job.

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::{
    references,
    store::{
        Store, StoreError, StoredObject,
        keys::{self, Kind},
    },
};

/// How much of a job goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    Everything,
    /// What was said stays, and what was heard goes.
    Recording,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    pub objects: u64,
    pub bytes: u64,
}

impl Erased {
    pub fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
    }
}

/// Erases what the store has of a job, and its recordings where no other job needs them. The result goes first: without
/// it nothing else counts as the job's end. The list of its recordings goes last, one after the other.
///
/// # Errors
/// The store's. Erasing once more goes on.
pub async fn job(store: &Store, job: &str, scope: Scope) -> Result<Erased, StoreError> {
    let mut erased = Erased::default();
    if scope == Scope::Everything {
        erased.add(one(store, &keys::result(job)).await?);
        let documents = objects(store, &keys::job(job)).await?;
        let documents =
            documents.into_iter().filter(|object| !matches!(Kind::of(&object.key), Kind::JobRecording { .. }));
        erased.add(delete(store, documents.collect()).await?);
        erased.add(delete(store, objects(store, &keys::batch_folder(job)).await?).await?);
    }
    for recording in references::recordings(store, job).await? {
        references::release(store, &recording, job).await?;
        erased.add(recording_unless_needed(store, &recording, job).await?);
        store.delete_all(vec![keys::job_recording(job, &recording)]).await?;
    }
    Ok(erased)
}

/// Erases a recording that no job needs: what was handed in, and what was made of it. `references` tells why that is
/// safe. No two erasers have the same name at the same time.
///
/// # Errors
/// The store's. Erasing once more, under the same name, goes on.
pub async fn recording_unless_needed(store: &Store, recording: &str, eraser: &str) -> Result<Erased, StoreError> {
    let tombstone = keys::erasing(recording, eraser);
    store.write(&tombstone, Vec::new()).await?;
    let is_needed = !store.list(&keys::references(recording)).await?.is_empty();
    let erased = if is_needed { Erased::default() } else { all_of(store, recording).await? };
    store.delete_all(vec![tombstone]).await?;
    Ok(erased)
}

/// The plans go first: units and checkpoints without one are as those of an ingestion that broke off.
async fn all_of(store: &Store, recording: &str) -> Result<Erased, StoreError> {
    let made = objects(store, &keys::audio(recording)).await?;
    let (plans, made): (Vec<_>, Vec<_>) =
        made.into_iter().partition(|object| matches!(Kind::of(&object.key), Kind::Plan(_)));
    let mut erased = delete(store, plans).await?;
    erased.add(one(store, &keys::upload(recording)).await?);
    erased.add(one(store, &keys::incoming(recording)).await?);
    erased.add(delete(store, made).await?);
    Ok(erased)
}

/// The object of this key.
async fn one(store: &Store, key: &str) -> Result<Erased, StoreError> {
    let size = match store.describe(key).await {
        Ok(described) => described.size,
        Err(StoreError::NotFound { .. }) => return Ok(Erased::default()),
        Err(error) => return Err(error),
    };
    store.delete_all(vec![key.to_owned()]).await?;
    Ok(Erased { objects: 1, bytes: size })
}

async fn objects(store: &Store, folder: &str) -> Result<Vec<StoredObject>, StoreError> {
    store.objects(folder).try_collect().await
}

async fn delete(store: &Store, objects: Vec<StoredObject>) -> Result<Erased, StoreError> {
    let erased = Erased { objects: objects.len() as u64, bytes: objects.iter().map(|object| object.size).sum() };
    store.delete_all(objects.into_iter().map(|object| object.key).collect()).await?;
    Ok(erased)
}
