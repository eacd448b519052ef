//! All of the store at one moment, in sums: what each recording and each job takes.

use std::{
    collections::{HashMap, HashSet},
    time::SystemTime,
};

use futures_util::{TryStreamExt, future::BoxFuture};

use crate::store::{Store, StoreError, StoredObject, keys::Kind};

/// How much there is of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub objects: u64,
    pub bytes: u64,
    /// When the last of it was written.
    pub newest: SystemTime,
}

impl Default for Extent {
    fn default() -> Self {
        Self { objects: 0, bytes: 0, newest: SystemTime::UNIX_EPOCH }
    }
}

impl Extent {
    fn add(&mut self, object: &StoredObject) {
        self.objects += 1;
        self.bytes += object.size;
        self.newest = self.newest.max(object.modified);
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobFolder {
    pub extent: Extent,
    /// When the job's result was last written, if it is there.
    pub result: Option<SystemTime>,
    /// The recordings that the job needs.
    pub recordings: u64,
}

#[derive(Debug, Default)]
pub struct Census {
    /// Uploads, units and checkpoints, by recording.
    pub recordings: HashMap<String, Extent>,
    /// Recordings that some job needs.
    pub referenced: HashSet<String>,
    /// By the job's id.
    pub jobs: HashMap<String, JobFolder>,
    /// When the lists of batches were written, by the batch's id.
    pub batches: HashMap<String, SystemTime>,
    /// Recording, eraser, and since when.
    pub tombstones: Vec<(String, String, SystemTime)>,
}

impl Census {
    /// # Errors
    /// The store's.
    pub fn take(store: &Store) -> BoxFuture<'_, Result<Self, StoreError>> {
        Box::pin(async move {
            let mut census = Self::default();
            let mut objects = store.objects("");
            while let Some(object) = objects.try_next().await? {
                census.count(&object);
            }
            Ok(census)
        })
    }

    fn count(&mut self, object: &StoredObject) {
        let kind = Kind::of(&object.key);
        if let Some(recording) = kind.recording() {
            entry(&mut self.recordings, recording).add(object);
        }
        if let Some(job) = kind.job() {
            let folder = entry(&mut self.jobs, job);
            folder.extent.add(object);
            folder.recordings += u64::from(matches!(kind, Kind::JobRecording { .. }));
            if matches!(kind, Kind::Result(_)) {
                folder.result = Some(object.modified);
            }
        }
        match kind {
            Kind::Reference { recording, .. } => {
                self.referenced.insert(recording.to_owned());
            }
            Kind::Erasing { recording, eraser } => {
                self.tombstones.push((recording.to_owned(), eraser.to_owned(), object.modified));
            }
            Kind::Batch(batch) => {
                self.batches.insert(batch.to_owned(), object.modified);
            }
            _ => {}
        }
    }
}

fn entry<'a, T: Default>(map: &'a mut HashMap<String, T>, name: &str) -> &'a mut T {
    map.entry(name.to_owned()).or_default()
}
