//! Which jobs need a recording. The store keeps a recording once, however many jobs of however many tenants came with
//! it; it belongs to all of them, and goes with the last.
//!
//! # How the last owner goes while the next one comes
//!
//! Two rules keep a job from losing a recording that another job's end takes away:
//!
//! - Whoever begins to use a recording writes its reference, *then* looks whether anybody erases the recording, waits
//!   until nobody does, and only then reads or writes anything of it ([`claim`]).
//! - Whoever erases takes its own reference away, writes a tombstone of its own, *then* looks for references. Where
//!   there is one it takes the tombstone back and leaves everything; else it erases, and takes the tombstone away last
//!   (`erasure::recording_unless_needed`).
//!
//! The store shows a write to whoever reads or lists after it. So of the two that write first and look then, at least one
//! sees the other. Where the eraser sees the reference nothing is erased; where it does not, its tombstone was there
//! before the reference, and the newcomer waits until all is gone, and makes it anew. Tombstones are named after their
//! erasers: one that has finished does not let a newcomer in while another one still deletes. Two that both were the
//! last have both taken their references away before they look, so one of them erases, or both.
//!
//! An eraser that dies leaves its tombstone, and is run again: a purge is a durable workflow, and the sweep ends what a
//! dead sweep began. A newcomer may have come meanwhile; then what is left of the recording stays. The plan goes first,
//! so what is left never looks whole: units are written anew, and each checkpoint is whole by itself.
//!
//! A job's own list of its recordings is written before its references and taken away after them, so that whoever erases
//! a job, a second time perhaps, finds every reference.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    ids::{JobId, Tenant},
    result::JobResult,
    store::{
        Store, StoreError,
        keys::{self, Kind},
    },
};

/// Between two looks whether a recording is still being erased.
const PAUSE: Duration = Duration::from_millis(200);

/// Results read at the same time.
const READS_IN_FLIGHT: usize = 8;

/// Says that the job needs the recording; once or many times is the same. [`claim`] is for those that use it at once.
///
/// # Errors
/// The store's.
pub async fn add(store: &Store, recording: &str, job: &JobId) -> Result<(), StoreError> {
    store.write(&keys::job_recording(job.as_str(), recording), Vec::new()).await?;
    store.write(&keys::reference(recording, job.as_str()), Vec::new()).await
}

/// Says that the job needs the recording, and waits until nobody erases it: what is there of it then stays, and what is
/// not has to be made. Said before the job reads or writes anything of it.
///
/// # Errors
/// The store's.
pub async fn claim(store: &Store, recording: &str, job: &JobId) -> Result<(), StoreError> {
    add(store, recording, job).await?;
    while !store.list(&keys::erasers(recording)).await?.is_empty() {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// The job needs the recording no more. Its own list still names it, until the recording is seen to.
pub(crate) async fn release(store: &Store, recording: &str, job: &str) -> Result<(), StoreError> {
    store.delete_all(vec![keys::reference(recording, job)]).await
}

/// The jobs that need the recording, in no order.
///
/// # Errors
/// The store's.
pub async fn jobs(store: &Store, recording: &str) -> Result<Vec<JobId>, StoreError> {
    let found = store.list(&keys::references(recording)).await?;
    Ok(found.iter().filter_map(|key| key.rsplit('/').next()?.parse().ok()).collect())
}

/// The recordings that a job needs.
///
/// # Errors
/// The store's.
pub async fn recordings(store: &Store, job: &str) -> Result<Vec<String>, StoreError> {
    let found = store.list(&keys::job_recordings(job)).await?;
    let names = found.iter().filter_map(|key| match Kind::of(key) {
        Kind::JobRecording { recording, .. } => Some(recording.to_owned()),
        _ => None,
    });
    Ok(names.collect())
}

/// Whether a job of the tenant needs the recording: its bytes are the tenant's own then.
///
/// # Errors
/// The store's.
pub async fn belongs_to(store: &Store, recording: &str, tenant: &Tenant) -> Result<bool, StoreError> {
    Ok(jobs(store, recording).await?.iter().any(|job| job.tenant().as_ref() == Some(tenant)))
}

/// Gives the jobs of the time before there were references theirs, as their results name them. Before anything is ever
/// erased, and once for each store.
///
/// # Errors
/// The store's.
pub async fn complete(store: &Store) -> Result<(), StoreError> {
    let missing = unrecorded(store).await?;
    let adding = stream::iter(missing).map(|(recording, job)| async move { add(store, &recording, &job).await });
    adding.buffer_unordered(READS_IN_FLIGHT).try_collect::<()>().await?;
    let done = keys::references_complete();
    if store.exists(&done).await? { Ok(()) } else { store.write(&done, Vec::new()).await }
}

/// Recordings that ended jobs need without a reference that says so; none once [`complete`] was through. A result that
/// cannot be read counts as not there.
///
/// # Errors
/// The store's.
pub async fn unrecorded(store: &Store) -> Result<Vec<(String, JobId)>, StoreError> {
    if store.exists(&keys::references_complete()).await? {
        return Ok(Vec::new());
    }
    let keys = store.list(&keys::jobs()).await?;
    let jobs = keys.iter().filter_map(|key| match Kind::of(key) {
        Kind::Result(job) => job.parse::<JobId>().ok(),
        _ => None,
    });
    let read = stream::iter(jobs.collect::<Vec<_>>()).map(|job| async move {
        match store.find_json::<JobResult>(&keys::result(job.as_str())).await {
            Ok(result) => Ok(result.map(|result| (result.provenance.audio_sha256, job))),
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::warn!(%error, %job, "which recording the job needs is not known");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    });
    let found: Vec<Option<(String, JobId)>> = read.buffer_unordered(READS_IN_FLIGHT).try_collect().await?;
    Ok(found.into_iter().flatten().filter(|(recording, _)| !recording.is_empty()).collect())
}
