//! Jobs whose time is over: which they are, and that they are purged.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use engine::{
    config::{HousekeepingSettings, Retention},
    erasure::Scope,
    error::StageError,
    ids::JobId,
    references,
    store::Store,
    temporal::{client::Jobs, contracts::Retained, sweep::Census, workflows::PurgeRequest},
};

/// Purges that one round begins at most. What is left then is left to the next one.
const MOST: usize = 5_000;

const ASKED_BY: &str = "retention";

/// Has every job purged that is kept no longer, and every recording of those that stay. Jobs that run are left alone.
pub(crate) async fn retain(
    jobs: &Jobs,
    store: &Store,
    settings: &HousekeepingSettings,
) -> Result<Retained, StageError> {
    if settings.retention.is_none() && settings.retention_of_recordings.is_none() {
        return Ok(Retained::default());
    }
    references::complete(store).await?;
    let census = Census::take(store).await?;
    let mut retained = Retained::default();
    for (job_id, scope) in due(&census, settings, SystemTime::now()).into_iter().take(MOST) {
        let request = PurgeRequest { job_id, scope, asked_by: ASKED_BY.to_owned(), spare_running: true };
        jobs.purge(&request).await?;
        match scope {
            Scope::Everything => retained.jobs += 1,
            Scope::Recording => retained.recordings += 1,
        }
    }
    Ok(retained)
}

/// A job is as old as its result, and a batch as its list. The list goes when the last of its jobs has gone.
fn due(census: &Census, settings: &HousekeepingSettings, now: SystemTime) -> Vec<(String, Scope)> {
    let mut due = Vec::new();
    for (job, folder) in &census.jobs {
        let (Ok(id), Some(ended)) = (job.parse::<JobId>(), folder.result) else { continue };
        let age = now.duration_since(ended).unwrap_or_default();
        if is_over(settings.retention.as_ref(), &id, age) {
            due.push((job.clone(), Scope::Everything));
        } else if folder.recordings > 0 && is_over(settings.retention_of_recordings.as_ref(), &id, age) {
            due.push((job.clone(), Scope::Recording));
        }
    }
    // A batch's jobs have its name before the last dot.
    let with_jobs: HashSet<&str> = census.jobs.keys().filter_map(|job| Some(job.rsplit_once('.')?.0)).collect();
    for (batch, written) in &census.batches {
        let Ok(id) = batch.parse::<JobId>() else { continue };
        let age = now.duration_since(*written).unwrap_or_default();
        if !with_jobs.contains(batch.as_str()) && is_over(settings.retention.as_ref(), &id, age) {
            due.push((batch.clone(), Scope::Everything));
        }
    }
    due
}

fn is_over(retention: Option<&Retention>, id: &JobId, age: Duration) -> bool {
    retention.and_then(|retention| retention.of(id)).is_some_and(|kept| age >= kept)
}
