//! Work that goes on when its client has gone, and that the process waits for before it ends.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

/// Cheap to clone.
#[derive(Clone)]
pub struct Unfinished {
    /// Each task holds a receiver.
    tasks: Arc<watch::Sender<()>>,
}

impl Unfinished {
    pub(crate) fn new() -> Self {
        Self { tasks: Arc::new(watch::Sender::new(())) }
    }

    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let task = self.tasks.subscribe();
        tokio::spawn(async move {
            let done = work.await;
            drop(task);
            done
        })
    }

    /// Waits until all of it has ended, and tells whether it has in this time.
    pub(crate) async fn end(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.tasks.closed()).await.is_ok()
    }
}
