//! One watched job: a task that reads it again and again, and the subscriptions that keep the task going.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{
    OnceCell,
    watch::{self, error::RecvError},
};

use super::{
    Notifications, Snapshot,
    job_reader::{JobReader, WatchError},
};
use crate::temporal::{client::ClientError, progress::Stage};

/// Between two reads of a job that is being recognised.
const QUICK: Duration = Duration::from_millis(250);
/// The same where Redis tells when there is something to read, and for jobs in which little happens.
const SLOW: Duration = Duration::from_secs(1);
/// The same for one that has ended: it may be amended, or begun again.
const ENDED: Duration = Duration::from_secs(1);
/// How long a job is read on when nobody is subscribed any more: a page that is loaded again finds it at once.
const LINGER: Duration = Duration::from_secs(5);

/// A job that is watched. Its task and its subscriptions share it.
pub(super) struct WatchedJob {
    /// Whether its text is read, too.
    with_text: bool,
    state: Mutex<State>,
    /// Filled by the first who asks; the others wait for that.
    snapshots: OnceCell<watch::Receiver<Snapshot>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Subscribed {
        subscriptions: usize,
    },
    Idle {
        since: Instant,
    },
    /// The task has ended, and no subscription can begin any more.
    Closed,
}

/// A job's snapshots; as long as anybody holds one, the job is watched.
pub struct Subscription {
    snapshots: watch::Receiver<Snapshot>,
    _interest: Interest,
}

/// Counts as a subscription until it is dropped.
pub(super) struct Interest {
    job: Arc<WatchedJob>,
}

impl Subscription {
    pub(super) fn new(snapshots: watch::Receiver<Snapshot>, interest: Interest) -> Self {
        Self { snapshots, _interest: interest }
    }

    /// The latest snapshot. Not to be held across an await: the watcher waits for it.
    pub fn borrow(&self) -> watch::Ref<'_, Snapshot> {
        self.snapshots.borrow()
    }

    /// As [`Subscription::borrow`]; [`Subscription::changed`] then waits for a later one.
    pub fn borrow_and_update(&mut self) -> watch::Ref<'_, Snapshot> {
        self.snapshots.borrow_and_update()
    }

    /// Waits for a snapshot that was not seen yet.
    ///
    /// # Errors
    /// The job is no longer there, so none will come.
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        self.snapshots.changed().await
    }
}

impl WatchedJob {
    /// The first interest in a job, which has no task yet.
    pub(super) fn begin(with_text: bool) -> Interest {
        let state = Mutex::new(State::Subscribed { subscriptions: 1 });
        Interest { job: Arc::new(Self { with_text, state, snapshots: OnceCell::new() }) }
    }

    /// `None` where the job's task has ended, or reads no text that is wanted.
    pub(super) fn subscribe(self: &Arc<Self>, with_text: bool) -> Option<Interest> {
        if with_text && !self.with_text {
            return None;
        }
        let mut state = self.state();
        *state = match *state {
            State::Subscribed { subscriptions } => State::Subscribed { subscriptions: subscriptions + 1 },
            State::Idle { .. } => State::Subscribed { subscriptions: 1 },
            State::Closed => return None,
        };
        Some(Interest { job: Arc::clone(self) })
    }

    /// The job's snapshots, from a task that is started unless it is there.
    pub(super) async fn start(
        self: &Arc<Self>,
        reader: impl FnOnce() -> JobReader,
        notifications: &Notifications,
    ) -> Result<watch::Receiver<Snapshot>, WatchError> {
        let start = async || {
            let mut reader = reader();
            let (sender, receiver) = watch::channel(reader.read(false).await?);
            tokio::spawn(watch_until_idle(Arc::clone(self), reader, notifications.clone(), sender));
            Ok(receiver)
        };
        self.snapshots.get_or_try_init(start).await.cloned()
    }

    /// Closes it where nobody has been subscribed for a while.
    fn close_if_idle(&self) -> bool {
        let mut state = self.state();
        if matches!(*state, State::Idle { since } if since.elapsed() > LINGER) {
            *state = State::Closed;
        }
        *state == State::Closed
    }

    fn close(&self) {
        *self.state() = State::Closed;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interest {
    pub(super) fn job(&self) -> &Arc<WatchedJob> {
        &self.job
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        let mut state = self.job.state();
        *state = match *state {
            State::Subscribed { subscriptions: 1 } => State::Idle { since: Instant::now() },
            State::Subscribed { subscriptions } => State::Subscribed { subscriptions: subscriptions - 1 },
            idle_or_closed => idle_or_closed,
        };
    }
}

/// Reads again and again until nobody wants the job any more. Whoever asks meanwhile never waits for a read.
async fn watch_until_idle(
    job: Arc<WatchedJob>,
    mut reader: JobReader,
    notifications: Notifications,
    snapshots: watch::Sender<Snapshot>,
) {
    let mut notified = notifications.of(reader.checkpoints());
    loop {
        let pause = pause(&snapshots.borrow(), notifications.are_expected());
        let is_notified = tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = notified.notified() => true,
        };
        if job.close_if_idle() {
            return;
        }
        match reader.read(is_notified).await {
            Ok(snapshot) => publish(&snapshots, snapshot),
            Err(WatchError::Client(ClientError::NotFound { .. })) => return job.close(),
            // The job goes on by itself, and so does whoever watches it.
            Err(error) => tracing::debug!(%error, job = reader.id(), "the progress is not known at the moment"),
        }
        notified = notifications.of(reader.checkpoints());
    }
}

fn pause(snapshot: &Snapshot, notifications_are_expected: bool) -> Duration {
    let is_recognising = matches!(snapshot.progress.stage, Stage::Transcribe | Stage::Ingest);
    match (snapshot.ended.is_some(), is_recognising && !notifications_are_expected) {
        (true, _) => ENDED,
        (false, true) => QUICK,
        (false, false) => SLOW,
    }
}

fn publish(snapshots: &watch::Sender<Snapshot>, snapshot: Snapshot) {
    snapshots.send_if_modified(|known| {
        let is_news = *known != snapshot;
        *known = snapshot;
        is_news
    });
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };

    use super::{LINGER, State, WatchedJob};

    #[test]
    fn subscriptions_that_are_dropped_leave_the_job_idle() {
        let first = WatchedJob::begin(false);
        let job = Arc::clone(first.job());
        let second = job.subscribe(false).unwrap();
        drop(first);
        assert_eq!(*job.state(), State::Subscribed { subscriptions: 1 });
        drop(second);
        assert!(matches!(*job.state(), State::Idle { .. }));
        assert!(job.subscribe(true).is_none(), "it reads no text");
        assert!(job.subscribe(false).is_some(), "one can begin as long as it is not closed");
    }

    #[test]
    fn a_job_is_closed_when_nobody_was_subscribed_for_a_while() {
        let interest = WatchedJob::begin(false);
        let job = Arc::clone(interest.job());
        assert!(!job.close_if_idle(), "somebody is");
        drop(interest);
        assert!(!job.close_if_idle(), "somebody was just now");
        let long_ago = Instant::now().checked_sub(LINGER + Duration::from_secs(1)).unwrap();
        *job.state() = State::Idle { since: long_ago };
        assert!(job.close_if_idle());
        assert!(job.subscribe(false).is_none());
    }

    #[test]
    fn a_subscription_to_a_closed_job_may_end_later() {
        let interest = WatchedJob::begin(false);
        let job = Arc::clone(interest.job());
        job.close();
        drop(interest);
        assert_eq!(*job.state(), State::Closed);
    }
}
