//! From the activities' tokens to the flag that a blocking recogniser watches.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio_util::sync::CancellationToken;

/// A flag that goes up when all of its tokens have fallen, and at the end of this value: nobody waits for the outcome any
/// more.
pub(crate) struct Flag {
    raised: Arc<AtomicBool>,
    watch: tokio::task::JoinHandle<()>,
}

pub(crate) fn flag_of(stops: Vec<CancellationToken>) -> Flag {
    let raised = Arc::new(AtomicBool::new(stops.iter().all(CancellationToken::is_cancelled)));
    let flag = Arc::clone(&raised);
    let watch = tokio::spawn(async move {
        for stop in stops {
            stop.cancelled().await;
        }
        flag.store(true, Ordering::Relaxed);
    });
    Flag { raised, watch }
}

impl Flag {
    pub(crate) fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.raised)
    }
}

impl Drop for Flag {
    fn drop(&mut self) {
        self.watch.abort();
        self.raised.store(true, Ordering::Relaxed);
    }
}
