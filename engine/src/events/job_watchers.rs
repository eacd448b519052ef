//! Who watches which job: the registry of watched jobs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use futures_util::future::BoxFuture;

use super::{
    Notifications,
    job_reader::{JobReader, WatchError},
    job_watcher::{Interest, Subscription, WatchedJob},
};
use crate::{
    store::{ResultHeads, Store},
    temporal::client::{ClientError, Jobs},
};

/// One watcher for each job that somebody watches. Cheap to clone.
#[derive(Clone)]
pub struct JobWatchers {
    store: Store,
    results: ResultHeads,
    notifications: Notifications,
    watched: Arc<Mutex<Watched>>,
}

/// By the jobs' ids. A job's task and its subscriptions keep it; where both have ended, nothing is left of it here.
type Watched = HashMap<String, Weak<WatchedJob>>;

impl JobWatchers {
    pub fn new(store: Store, notifications: Notifications) -> Self {
        Self { results: ResultHeads::new(store.clone()), store, notifications, watched: Arc::default() }
    }

    /// The heads of the results that watched jobs have left.
    pub fn results(&self) -> &ResultHeads {
        &self.results
    }

    /// The job as it is now, and whatever comes until its end, without its text. One that Temporal has forgotten is as its result says.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], or a server or a store that does not answer.
    pub fn watch<'a>(&'a self, jobs: &'a Jobs, id: &'a str) -> BoxFuture<'a, Result<Subscription, WatchError>> {
        self.subscribe(jobs, id, false)
    }

    fn subscribe<'a>(
        &'a self,
        jobs: &'a Jobs,
        id: &'a str,
        with_text: bool,
    ) -> BoxFuture<'a, Result<Subscription, WatchError>> {
        Box::pin(async move {
            let (store, results) = (self.store.clone(), self.results.clone());
            let reader = || JobReader::new(jobs.clone(), store, results, id.to_owned(), with_text);
            let interest = self.interest(id, with_text);
            let started = interest.job().start(reader, &self.notifications).await;
            started.map(|snapshots| Subscription::new(snapshots, interest))
        })
    }

    /// As [`JobWatchers::watch`] with the text, and never the end of a run before the latest: for those that wait for the
    /// end.
    pub async fn watch_latest(&self, jobs: &Jobs, id: &str) -> Result<Subscription, WatchError> {
        let subscription = self.subscribe(jobs, id, true).await?;
        let known = subscription.borrow().clone();
        if known.ended.is_none() {
            return Ok(subscription);
        }
        match jobs.latest_run(id).await {
            Ok(run) if run != known.progress.run_id => {
                self.forget(id);
                self.subscribe(jobs, id, true).await
            }
            Ok(_) | Err(ClientError::NotFound { .. }) => Ok(subscription),
            Err(error) => Err(error.into()),
        }
    }

    /// Drops what is known of a job that has just been begun again: the next who asks must not be told of its last end.
    /// Those who watch it already go on.
    pub fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    /// Interest in a job whose watcher is at work or can be started. One that reads no text goes on for those that it has.
    fn interest(&self, id: &str, with_text: bool) -> Interest {
        let mut watched = self.lock();
        let known = watched.get(id).and_then(Weak::upgrade);
        if let Some(interest) = known.and_then(|job| job.subscribe(with_text)) {
            return interest;
        }
        watched.retain(|_, job| job.strong_count() > 0);
        let interest = WatchedJob::begin(with_text);
        watched.insert(id.to_owned(), Arc::downgrade(interest.job()));
        interest
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
