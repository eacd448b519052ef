//! From the activity's token to the flag that a blocking recogniser watches.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio_util::sync::CancellationToken;

/// A flag that goes up when the token falls, and at the end of this value: nobody waits for the outcome any more.
pub(crate) struct Flag {
    raised: Arc<AtomicBool>,
    watch: tokio::task::JoinHandle<()>,
}

pub(crate) fn flag_of(stop: &CancellationToken) -> Flag {
    let raised = Arc::new(AtomicBool::new(stop.is_cancelled()));
    let (stop, flag) = (stop.clone(), Arc::clone(&raised));
    let watch = tokio::spawn(async move {
        stop.cancelled().await;
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
