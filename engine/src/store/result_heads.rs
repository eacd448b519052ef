//! The heads of results, each read once for each version of its object: whoever follows a job asks every second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;

use super::{Store, StoreError, keys};
use crate::result::ResultHead;

/// With more jobs than this, all are forgotten and read again.
const MAX_CACHED: usize = 512;

/// Cheap to clone.
#[derive(Clone)]
pub struct ResultHeads {
    store: Store,
    cached: Arc<Mutex<HashMap<String, KnownHead>>>,
}

/// A result's head, and which version of the result it is of.
#[derive(Clone)]
pub struct KnownHead {
    pub version: String,
    pub head: Arc<ResultHead>,
}

impl ResultHeads {
    pub fn new(store: Store) -> Self {
        Self { store, cached: Arc::default() }
    }

    /// `None` for a job that has not ended, or left no result.
    ///
    /// # Errors
    /// A failing store, or an object that is no result.
    pub fn find<'a>(&'a self, job_id: &'a str) -> BoxFuture<'a, Result<Option<KnownHead>, StoreError>> {
        Box::pin(async move {
            // The version is asked for before the content is read: what is written meanwhile is read again the next time.
            let version = match self.store.describe(&keys::result(job_id)).await {
                Ok(description) => description.version,
                Err(StoreError::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            if let Some(known) = self.lock().get(job_id).filter(|known| known.version == version) {
                return Ok(Some(known.clone()));
            }
            let Some(head) = self.store.find_result_head(job_id).await? else { return Ok(None) };
            let known = KnownHead { version, head: Arc::new(head) };
            let mut cached = self.lock();
            if cached.len() >= MAX_CACHED {
                cached.clear();
            }
            cached.insert(job_id.to_owned(), known.clone());
            Ok(Some(known))
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, KnownHead>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
