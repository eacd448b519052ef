//! Weights on their way to this worker. Each model is fetched once for all who wait for it, on no core and no slot, and
//! for as long as somebody waits; what has come by then is kept, and continued the next time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use engine::{error::StageError, temporal::progress::ModelDownload};
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use models::{Cache, FetchError, FetchEvent, Format, Weights};
use tokio::sync::watch;

/// Those that go on.
pub(crate) struct Downloads {
    cache: Cache,
    running: Mutex<HashMap<(String, Format), Running>>,
}

type Fetch = BoxFuture<'static, Result<Weights, Arc<FetchError>>>;

/// Whoever waits holds the fetch itself, so it ends with the last of them.
struct Running {
    fetch: WeakShared<Fetch>,
    progress: watch::Receiver<ModelDownload>,
}

/// What somebody waits for, as others may be told.
#[derive(Default)]
pub(crate) struct AwaitedDownload(Mutex<Option<watch::Receiver<ModelDownload>>>);

impl AwaitedDownload {
    /// `None` where nothing is waited for, or nothing has come yet.
    pub(crate) fn now(&self) -> Option<ModelDownload> {
        let awaited = locked(&self.0);
        awaited.as_ref().map(|progress| progress.borrow().clone()).filter(|download| download.bytes_done > 0)
    }

    fn set(&self, progress: Option<watch::Receiver<ModelDownload>>) {
        *locked(&self.0) = progress;
    }
}

impl Downloads {
    pub(crate) fn new(cache: Cache) -> Self {
        Self { cache, running: Mutex::default() }
    }

    /// Whether there is nothing to fetch or to make.
    pub(crate) fn are_at_hand(&self, model: &str, format: Format) -> bool {
        format.is_at_hand(model, &self.cache)
    }

    /// # Errors
    /// An unknown name, or weights that cannot be had, or not now.
    pub(crate) async fn weights(
        &self,
        model: &str,
        format: Format,
        awaited: &AwaitedDownload,
    ) -> Result<Weights, StageError> {
        let (fetch, progress) = self.join(model, format);
        awaited.set(Some(progress));
        let fetched = fetch.await;
        awaited.set(None);
        fetched.map_err(|error| StageError::from(&*error).caused_by(error))
    }

    /// The fetch that goes on, or a new one.
    fn join(&self, model: &str, format: Format) -> (Shared<Fetch>, watch::Receiver<ModelDownload>) {
        let mut running = locked(&self.running);
        running.retain(|_, running| running.fetch.upgrade().is_some());
        let key = (model.to_owned(), format);
        if let Some(running) = running.get(&key)
            && let Some(fetch) = running.fetch.upgrade()
        {
            return (fetch, running.progress.clone());
        }
        let (fetch, progress) = begin(model.to_owned(), format, self.cache.clone());
        running.extend(fetch.downgrade().map(|fetch| (key, Running { fetch, progress: progress.clone() })));
        (fetch, progress)
    }
}

fn begin(model: String, format: Format, cache: Cache) -> (Shared<Fetch>, watch::Receiver<ModelDownload>) {
    let none_yet = ModelDownload { model: model.clone(), bytes_done: 0, bytes_total: 0 };
    let (sender, progress) = watch::channel(none_yet);
    let fetch = async move {
        let events = |event| tell(event, &sender);
        format.weights(&model, &cache, &events).await.map_err(Arc::new)
    };
    (fetch.boxed().shared(), progress)
}

fn tell(event: FetchEvent, progress: &watch::Sender<ModelDownload>) {
    match event {
        FetchEvent::Trying { source } => tracing::info!(source, "fetching a model"),
        FetchEvent::Refused { source, reason } => tracing::warn!(source, reason, "a model is not served"),
        FetchEvent::Progress { done, total } => progress.send_modify(|download| {
            download.bytes_done = done;
            download.bytes_total = total.unwrap_or_default();
        }),
        _ => {}
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
