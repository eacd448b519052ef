//! What nobody refers to: found by going through the whole store, and taken away.
//!
//! Nothing goes that was touched lately. Of what is older, a recording goes that no reference names and that no job or
//! batch which runs was asked for; a job's folder goes that has no result, and of which Temporal knows nothing; a
//! tombstone is seen to whose purge does not run; and a part goes of an object that never came to its end. What was
//! found is looked at again before it goes: references tell how.

mod census;

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{
    client::{ClientError, Jobs},
    contracts::SweepReport,
};
use crate::{
    batch_list::BatchList,
    erasure::{self, Erased, Scope},
    ids::JobId,
    job::Source,
    references,
    store::{AbandonedPart, Store, StoreError, keys},
};

pub use census::{Census, Extent, JobFolder};

/// Why a sweep did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// What a sweep would take away.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Recordings that no job needs.
    pub recordings: Vec<(String, Extent)>,
    /// Folders of jobs that nobody knows.
    pub jobs: Vec<(JobId, Extent)>,
    /// Recordings with the tombstones of erasers that are no more.
    pub tombstones: Vec<(String, String)>,
    /// Parts of objects that were never finished.
    pub parts: Vec<AbandonedPart>,
}

impl Leftovers {
    pub fn report(&self) -> SweepReport {
        let extents =
            self.recordings.iter().map(|(_, extent)| extent).chain(self.jobs.iter().map(|(_, extent)| extent));
        let (objects, bytes) =
            extents.fold((0, 0), |(objects, bytes), extent| (objects + extent.objects, bytes + extent.bytes));
        SweepReport {
            recordings: self.recordings.len() as u64,
            jobs: self.jobs.len() as u64,
            parts: self.parts.len() as u64,
            objects: objects + self.parts.len() as u64,
            bytes: bytes + self.parts.iter().map(|part| part.size).sum::<u64>(),
        }
    }
}

/// Looks for what nobody refers to and nobody has touched for so long. Changes nothing.
///
/// # Errors
/// The store's and Temporal's.
pub fn find<'a>(store: &'a Store, jobs: &'a Jobs, min_age: Duration) -> BoxFuture<'a, Result<Leftovers, SweepError>> {
    Box::pin(async move {
        let now = SystemTime::now();
        let is_old = |modified: SystemTime| now.duration_since(modified).is_ok_and(|age| age >= min_age);
        let mut census = Census::take(store).await?;
        census.recordings.retain(|recording, extent| !census.referenced.contains(recording) && is_old(extent.newest));
        census.jobs.retain(|_, folder| folder.result.is_none() && is_old(folder.extent.newest));
        if !census.recordings.is_empty() || !census.jobs.is_empty() {
            spare_awaited(store, jobs, &mut census).await?;
        }
        let mut tombstones = Vec::new();
        for (recording, eraser, modified) in &census.tombstones {
            if is_old(*modified) && !jobs.is_being_purged(eraser).await? {
                tombstones.push((recording.clone(), eraser.clone()));
            }
        }
        let parts = store.abandoned_parts().await?.into_iter().filter(|part| is_old(part.modified)).collect();
        let recordings = census.recordings.into_iter().collect();
        Ok(Leftovers { recordings, jobs: forgotten(jobs, census.jobs).await?, tombstones, parts })
    })
}

/// Spares the recordings of jobs that run, of batches that do, whose last jobs may begin in days, and of jobs of the time
/// before there were references.
async fn spare_awaited(store: &Store, jobs: &Jobs, census: &mut Census) -> Result<(), SweepError> {
    for (recording, _) in references::unrecorded(store).await? {
        census.recordings.remove(&recording);
    }
    let mut sources = jobs.running_sources().await?;
    for id in jobs.running_batches().await? {
        for recording in BatchList::recordings(store, id.as_str()).await?.unwrap_or_default() {
            census.jobs.remove(&recording.id);
            sources.push(recording.source);
        }
    }
    for source in sources {
        if let Source::Object(key) = source {
            keys::recording(&key).and_then(|recording| census.recordings.remove(recording));
        }
    }
    Ok(())
}

async fn forgotten(jobs: &Jobs, folders: HashMap<String, JobFolder>) -> Result<Vec<(JobId, Extent)>, SweepError> {
    let mut forgotten = Vec::new();
    for (job, folder) in folders {
        let Ok(id) = job.parse::<JobId>() else { continue };
        if is_unknown(jobs, &id).await? {
            forgotten.push((id, folder.extent));
        }
    }
    Ok(forgotten)
}

async fn is_unknown(jobs: &Jobs, id: &JobId) -> Result<bool, ClientError> {
    match jobs.status(id.as_str()).await {
        Ok(_) => Ok(false),
        Err(ClientError::NotFound { .. }) => Ok(!jobs.is_being_purged(id.as_str()).await?),
        Err(error) => Err(error),
    }
}

/// Takes away what was found, as far as still nobody refers to it. `erased` is told of each piece.
///
/// # Errors
/// The store's and Temporal's.
pub fn remove<'a>(
    store: &'a Store,
    jobs: &'a Jobs,
    found: Leftovers,
    erased: impl Fn(&str, Erased) + Send + Sync + 'a,
) -> BoxFuture<'a, Result<SweepReport, SweepError>> {
    Box::pin(async move {
        references::complete(store).await?;
        // No job's name begins so, and no other sweep has this one.
        let sweeper = format!("_sweep-{}", Uuid::now_v7().simple());
        let mut report = SweepReport::default();
        for (id, _) in found.jobs {
            if is_unknown(jobs, &id).await? {
                let gone = erasure::job(store, id.as_str(), Scope::Everything).await?;
                erased(&format!("what is left of the job {id}"), gone);
                report.jobs += 1;
                count(&mut report, gone);
            }
        }
        let by_others = found.tombstones;
        let orphans = found.recordings.into_iter().map(|(recording, _)| (recording, sweeper.clone()));
        for (recording, eraser) in orphans.chain(by_others) {
            let gone = erasure::recording_unless_needed(store, &recording, &eraser).await?;
            if gone.objects > 0 {
                erased(&format!("the recording {recording}"), gone);
                report.recordings += 1;
                count(&mut report, gone);
            }
        }
        for part in found.parts {
            store.delete_part(&part).await?;
            let gone = Erased { objects: 1, bytes: part.size };
            erased(&format!("the part {}", part.path.display()), gone);
            report.parts += 1;
            count(&mut report, gone);
        }
        Ok(report)
    })
}

fn count(report: &mut SweepReport, gone: Erased) {
    report.objects += gone.objects;
    report.bytes += gone.bytes;
}
