//! One task for each job that somebody looks at: it asks Temporal and the store, and everybody sees what it found.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{OnceCell, watch};

use super::{Ended, Snapshot, Wakeups};
use crate::{
    result::JobResult,
    store::{Store, StoreError, keys},
    temporal::{
        client::{ClientError, Jobs},
        pace::Pace,
        progress::{JobProgress, Stage},
    },
    transcript::{ChunkTranscript, Segment},
};

/// Between two looks at a job that is being recognised.
const QUICK: Duration = Duration::from_millis(250);
/// The same where Redis tells when there is something to see, and for jobs in which little happens.
const SLOW: Duration = Duration::from_secs(1);
/// The same for one that has ended: it may be amended, or begun again.
const ENDED: Duration = Duration::from_secs(1);
/// How long a job is followed when nobody looks any more.
const KEPT: Duration = Duration::from_secs(5);
/// Checkpoints read at the same time; matters where the store is far away.
const READS_IN_FLIGHT: usize = 32;
/// Beyond as many jobs, those are dropped whose first look was given up.
const MANY: usize = 512;

/// Why a job cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everybody who looks at jobs, and those that look for them. Cheap to clone.
#[derive(Clone)]
pub struct Followers {
    store: Store,
    wakeups: Wakeups,
    followed: Arc<Mutex<HashMap<String, Followed>>>,
}

struct Followed {
    /// Filled by the first who asks; the others wait for that.
    snapshots: Arc<OnceCell<watch::Receiver<Snapshot>>>,
    asked_at: Instant,
}

impl Followers {
    pub fn new(store: Store, wakeups: Wakeups) -> Self {
        Self { store, wakeups, followed: Arc::default() }
    }

    /// The job as it is now, and whatever comes until its end. One that Temporal has forgotten is as its result says.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], or a server or a store that does not answer.
    pub async fn follow(&self, jobs: &Jobs, id: &str) -> Result<watch::Receiver<Snapshot>, FollowError> {
        let snapshots = self.cell(id);
        let begun = snapshots.get_or_try_init(|| self.begin(jobs, id)).await;
        if begun.is_err() {
            self.forget(id);
        }
        begun.cloned()
    }

    /// As [`Followers::follow`], and never the end of a run before the latest: for those that wait for the end.
    pub async fn follow_latest(&self, jobs: &Jobs, id: &str) -> Result<watch::Receiver<Snapshot>, FollowError> {
        let snapshots = self.follow(jobs, id).await?;
        let known = snapshots.borrow().clone();
        if known.ended.is_none() {
            return Ok(snapshots);
        }
        match jobs.latest_run(id).await {
            Ok(run) if run != known.progress.run_id => {
                self.forget(id);
                self.follow(jobs, id).await
            }
            Ok(_) | Err(ClientError::NotFound { .. }) => Ok(snapshots),
            Err(error) => Err(error.into()),
        }
    }

    fn cell(&self, id: &str) -> Arc<OnceCell<watch::Receiver<Snapshot>>> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if followed.len() > MANY {
            followed.retain(|_, job| job.snapshots.initialized() || job.asked_at.elapsed() < KEPT);
        }
        let now = Instant::now();
        let job =
            followed.entry(id.to_owned()).or_insert_with(|| Followed { snapshots: Arc::default(), asked_at: now });
        job.asked_at = now;
        Arc::clone(&job.snapshots)
    }

    /// Drops what is known of a job that has just been begun again: the next who asks must not hear of its last end.
    pub fn forget(&self, id: &str) {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Forgets the job if nobody looks, and nobody has asked for it for a while.
    fn forget_unwanted(&self, id: &str, snapshots: &watch::Sender<Snapshot>) -> bool {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        // The registry holds one receiver itself.
        let is_unwanted =
            snapshots.receiver_count() <= 1 && followed.get(id).is_none_or(|job| job.asked_at.elapsed() > KEPT);
        if is_unwanted {
            followed.remove(id);
        }
        is_unwanted
    }

    async fn begin(&self, jobs: &Jobs, id: &str) -> Result<watch::Receiver<Snapshot>, FollowError> {
        let mut follower = Follower {
            jobs: jobs.clone(),
            store: self.store.clone(),
            pace: Pace::default(),
            checkpoints: String::new(),
            chunks: Arc::default(),
        };
        let progress = follower.progress(id).await?;
        let first = follower.look(progress).await;
        let (sender, receiver) = watch::channel(first);
        tokio::spawn(self.clone().keep_up(follower, id.to_owned(), sender));
        Ok(receiver)
    }

    /// Looks again and again until nobody wants the job any more. Whoever asks meanwhile never waits for a look.
    async fn keep_up(self, mut follower: Follower, id: String, snapshots: watch::Sender<Snapshot>) {
        let mut wakeup = self.wakeups.of("");
        loop {
            let (ended, stage) = {
                let snapshot = snapshots.borrow();
                (snapshot.ended.is_some(), snapshot.progress.stage)
            };
            let is_quick = !self.wakeups.are_expected() && matches!(stage, Stage::Transcribe | Stage::Ingest);
            let pause = match (ended, is_quick) {
                (true, _) => ENDED,
                (false, true) => QUICK,
                (false, false) => SLOW,
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = wakeup.notified() => {}
            }
            // Another follower has taken this one's place.
            let is_replaced = snapshots.receiver_count() == 0;
            if is_replaced || self.forget_unwanted(&id, &snapshots) {
                return;
            }
            match follower.progress(&id).await {
                Ok(progress) => {
                    let snapshot = follower.look(progress).await;
                    snapshots.send_if_modified(|known| {
                        let is_news = *known != snapshot;
                        *known = snapshot;
                        is_news
                    });
                }
                Err(FollowError::Client(ClientError::NotFound { .. })) => return self.forget(&id),
                // The job goes on by itself, and so does whoever looks at it.
                Err(error) => tracing::debug!(%error, job = id, "the progress is not known at the moment"),
            }
            wakeup = self.wakeups.of(&follower.checkpoints);
        }
    }
}

struct Follower {
    jobs: Jobs,
    store: Store,
    pace: Pace,
    /// Where the job's checkpoints lie, once that is known.
    checkpoints: String,
    /// Shared with the snapshots, and copied only when a chunk is added.
    chunks: Arc<BTreeMap<u32, Arc<[Segment]>>>,
}

impl Follower {
    async fn progress(&self, id: &str) -> Result<JobProgress, FollowError> {
        match self.jobs.progress(id).await {
            Err(ClientError::NotFound { id }) => {
                let result = self.store.find_json::<JobResult>(&keys::result(&id)).await?;
                Ok(JobProgress::of_result(&result.ok_or(ClientError::NotFound { id })?))
            }
            known => Ok(known?),
        }
    }

    /// Puts together what is known. What the store does not give now it will give the next time.
    async fn look(&mut self, mut progress: JobProgress) -> Snapshot {
        let speed = self.pace.observe(&progress, Instant::now());
        if !progress.folder.is_empty() && !progress.decode_config_hash.is_empty() {
            self.read_from(keys::chunks(&progress.folder, &progress.decode_config_hash));
        }
        let mut ended = None;
        if progress.status.is_final() {
            match self.end(&mut progress).await {
                Ok(end) => ended = Some(end),
                Err(error) => tracing::debug!(%error, job = progress.id, "the result cannot be read"),
            }
        }
        if let Err(error) = self.read_chunks(progress.chunks_total).await {
            tracing::debug!(%error, job = progress.id, "the checkpoints cannot be read");
        }
        Snapshot { progress: Arc::new(progress), speed, chunks: Arc::clone(&self.chunks), ended }
    }

    async fn end(&mut self, progress: &mut JobProgress) -> Result<Ended, StoreError> {
        let Some(result) = self.store.find_json::<JobResult>(&keys::result(&progress.id)).await? else {
            let failure = self.jobs.wait(&progress.id).await.ok().and_then(|end| end.failure);
            return Ok(Ended { status: progress.status, error: failure, provenance: None });
        };
        progress.status = result.status;
        progress.duration_s = result.duration_s;
        progress.chunks_total = result.provenance.chunks_total;
        if result.status.has_transcript() {
            progress.chunks_done = result.provenance.chunks_total;
        }
        self.read_from(result.provenance.checkpoints.clone());
        let errors = result.errors.iter().map(|failure| format!("{}: {}", failure.stage, failure.message));
        let error = errors.reduce(|all, error| format!("{all}; {error}"));
        Ok(Ended { status: result.status, error, provenance: Some(Arc::new(result.provenance)) })
    }

    /// A job that was begun again with other options has another text.
    fn read_from(&mut self, checkpoints: String) {
        if self.checkpoints != checkpoints {
            self.checkpoints = checkpoints;
            self.chunks = Arc::default();
        }
    }

    async fn read_chunks(&mut self, total: u32) -> Result<(), StoreError> {
        if self.checkpoints.is_empty() || self.chunks.len() >= total as usize {
            return Ok(());
        }
        let found = self.store.list(&self.checkpoints).await?;
        let missing = found.into_iter().filter_map(|key| Some((keys::chunk_index(&key)?, key)));
        let missing: Vec<_> = missing.filter(|(index, _)| !self.chunks.contains_key(index)).collect();
        let store = self.store.clone();
        let mut read = stream::iter(missing)
            .map(async |(index, key)| store.read_json::<ChunkTranscript>(&key).await.map(|chunk| (index, chunk)))
            .buffer_unordered(READS_IN_FLIGHT);
        while let Some((index, chunk)) = read.try_next().await? {
            Arc::make_mut(&mut self.chunks).insert(index, chunk.segments.into());
        }
        Ok(())
    }
}
