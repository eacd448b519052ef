//! All that Temporal and the store know of a job, put together to a snapshot.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Ended, Snapshot, listing::Listing};
use crate::{
    run::OfRun,
    store::{ResultHeads, Store, StoreError, keys},
    temporal::{
        client::{ClientError, Jobs},
        progress::JobProgress,
        speed::SpeedEstimator,
    },
    transcript::{ChunkTranscript, Segment},
};

/// Checkpoints read at the same time; matters where the store is far away.
const READS_IN_FLIGHT: usize = 32;

/// Why a job cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads one job, and remembers the text that it has read.
pub(super) struct JobReader {
    jobs: Jobs,
    store: Store,
    results: ResultHeads,
    id: String,
    /// Whether the text is read, too: that of a day is some 5,000 objects.
    with_text: bool,
    speed: SpeedEstimator,
    listing: Listing,
    /// Where the job's checkpoints lie; empty until that is known.
    checkpoints: String,
    /// Shared with the snapshots, and copied only when a chunk is added.
    chunks: Arc<BTreeMap<u32, Arc<[Segment]>>>,
}

impl JobReader {
    pub(super) fn new(jobs: Jobs, store: Store, results: ResultHeads, id: String, with_text: bool) -> Self {
        Self {
            jobs,
            store,
            results,
            id,
            with_text,
            speed: SpeedEstimator::default(),
            listing: Listing::default(),
            checkpoints: String::new(),
            chunks: Arc::default(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn checkpoints(&self) -> &str {
        &self.checkpoints
    }

    /// The job as it is now. What the store does not give now it will give the next time. `notified` says that there is
    /// more text than before.
    ///
    /// # Errors
    /// Nobody knows the job, or Temporal does not answer.
    pub(super) async fn read(&mut self, notified: bool) -> Result<Snapshot, WatchError> {
        let mut progress = self.progress().await?;
        let speed = self.speed.observe(&progress, Instant::now());
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
        if self.with_text
            && let Err(error) = self.read_chunks(&progress, notified).await
        {
            tracing::debug!(%error, job = progress.id, "the checkpoints cannot be read");
        }
        Ok(Snapshot { progress: Arc::new(progress), speed, chunks: Arc::clone(&self.chunks), ended })
    }

    async fn progress(&self) -> Result<JobProgress, WatchError> {
        match self.jobs.progress(&self.id).await {
            Err(ClientError::NotFound { id }) => {
                let result = self.results.find(&id).await?;
                Ok(JobProgress::of_result(&self.id, &result.ok_or(ClientError::NotFound { id })?.head))
            }
            known => Ok(known?),
        }
    }

    async fn end(&mut self, progress: &mut JobProgress) -> Result<Ended, StoreError> {
        let known = self.results.find(&progress.id).await?;
        // One that was ended from outside leaves none, and that of a run before it is not its own.
        let Some(known) = known.filter(|known| known.head.is_of(&progress.run_id)) else {
            let failure = self.jobs.wait(&progress.id).await.ok().and_then(|end| end.failure);
            return Ok(Ended { status: progress.status, error: failure, provenance: None });
        };
        let result = &known.head;
        progress.status = result.status;
        progress.duration_s = result.duration_s;
        progress.chunks_total = result.provenance.chunks_total;
        if result.has_transcript() {
            progress.chunks_done = result.provenance.chunks_computed + result.provenance.chunks_reused;
        }
        self.read_from(result.provenance.checkpoints.clone());
        let errors = result.errors.iter().map(|failure| format!("{}: {}", failure.stage, failure.message));
        let error = errors.reduce(|all, error| format!("{all}; {error}"));
        Ok(Ended { status: result.status, error, provenance: Some(Arc::new(result.provenance.clone())) })
    }

    /// A job that was begun again with other options has another text.
    fn read_from(&mut self, checkpoints: String) {
        if self.checkpoints != checkpoints {
            self.checkpoints = checkpoints;
            self.chunks = Arc::default();
            self.listing = Listing::default();
        }
    }

    async fn read_chunks(&mut self, progress: &JobProgress, notified: bool) -> Result<(), StoreError> {
        let JobProgress { chunks_done, chunks_total, .. } = *progress;
        let has_all = self.chunks.len() >= chunks_total as usize;
        if self.checkpoints.is_empty() || has_all || !self.listing.is_due(chunks_done, notified, Instant::now()) {
            return Ok(());
        }
        let found = self.store.list(&self.checkpoints).await?;
        let missing = found.into_iter().filter_map(|key| Some((keys::chunk_index(&key)?, key)));
        let missing: Vec<_> = missing.filter(|(index, _)| !self.chunks.contains_key(index)).collect();
        let store = self.store.clone();
        let mut read = stream::iter(missing)
            .map(async |(index, key)| store.find_json::<ChunkTranscript>(&key).await.map(|chunk| (index, chunk)))
            .buffer_unordered(READS_IN_FLIGHT);
        while let Some((index, chunk)) = read.try_next().await? {
            if let Some(chunk) = chunk {
                Arc::make_mut(&mut self.chunks).insert(index, chunk.segments.into());
            }
        }
        self.listing.was_made(chunks_done, Instant::now());
        Ok(())
    }
}
