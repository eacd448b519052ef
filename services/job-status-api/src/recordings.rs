//! Which recording a job has. Temporal is asked once for each of a job's runs, as players ask for many parts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use api::{ApiError, OwnJob};
use engine::{
    job::Source,
    store::{ResultHeads, Store, keys},
    temporal::client::{ClientError, Jobs},
};

/// With more runs than this, all are forgotten and asked for again.
const MAX_CACHED: usize = 4096;

/// The sources of jobs that were asked for; cheap to clone.
#[derive(Clone)]
pub(crate) struct Recordings {
    store: Store,
    results: ResultHeads,
    /// By the run's id.
    cached: Arc<Mutex<HashMap<String, Source>>>,
}

impl Recordings {
    pub(crate) fn new(store: Store, results: ResultHeads) -> Self {
        Self { store, results, cached: Arc::default() }
    }

    /// Where the job's recording is.
    ///
    /// # Errors
    /// 404 for a job that nobody knows, and for one that has no recording.
    pub(crate) async fn source(&self, jobs: &Jobs, job: &OwnJob) -> Result<Source, ApiError> {
        let run = match jobs.latest_run(job.as_str()).await {
            Err(ClientError::NotFound { id }) => return self.source_of_forgotten(id).await,
            known => known?,
        };
        if let Some(source) = self.cached.lock().unwrap_or_else(PoisonError::into_inner).get(&run) {
            return Ok(source.clone());
        }
        let source = jobs.request(job.as_str(), &run).await?.source;
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() >= MAX_CACHED {
            cached.clear();
        }
        cached.insert(run, source.clone());
        Ok(source)
    }

    /// The upload that a job was made of which Temporal has forgotten.
    async fn source_of_forgotten(&self, id: String) -> Result<Source, ApiError> {
        let result = self.results.find(&id).await?;
        let result = result.ok_or_else(|| ClientError::NotFound { id: id.clone() })?;
        let upload = keys::upload(&result.head.provenance.audio_sha256);
        if !self.store.exists(&upload).await? {
            let message = format!("Temporal has forgotten the job {id}, and its recording is not in the store");
            return Err(ApiError::not_found(message).code("no_recording"));
        }
        Ok(Source::Object(upload))
    }
}
