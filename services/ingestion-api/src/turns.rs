//! Requests for one job go one after the other, so that a repeat of one that is being started finds the job, instead of
//! being refused because the first has taken the last of what the client may ask for.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use api::OwnJob;
use tokio::sync::{Mutex, MutexGuard};

/// Jobs that share a line wait for each other, for no longer than it takes to start one.
const LINES: usize = 256;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Turns {
    lines: Arc<[Mutex<()>]>,
    hasher: RandomState,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { lines: (0..LINES).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    /// Waits until nobody else is starting the job, and lets nobody start it as long as the guard is held.
    pub(crate) async fn of(&self, job: &OwnJob) -> MutexGuard<'_, ()> {
        let line = self.hasher.hash_one(job.as_str()) % LINES as u64;
        self.lines[usize::try_from(line).unwrap_or_default()].lock().await
    }
}
