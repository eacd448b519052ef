//! Whose turn it is at the recogniser: first words wait for what is at work, and everything else stands in line.

use std::sync::Arc;

use engine::error::StageError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody may be waiting for a job's first words.
    First,
    InLine,
}

/// Both semaphores serve whoever waits longest. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Turns {
    /// Whatever may be at work at the same time.
    sessions: Arc<Semaphore>,
    /// Of what is not urgent, as much as may wait for a session: no more than that stands before what is urgent.
    line: Arc<Semaphore>,
}

/// Ends when it is dropped.
pub(crate) struct Turn {
    _session: OwnedSemaphorePermit,
    _line: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(crate) fn new(sessions: usize) -> Self {
        Self { sessions: Arc::new(Semaphore::new(sessions)), line: Arc::new(Semaphore::new(sessions)) }
    }

    pub(crate) async fn wait(&self, urgency: Urgency) -> Result<Turn, StageError> {
        let line = match urgency {
            Urgency::First => None,
            Urgency::InLine => Some(permit(&self.line).await?),
        };
        Ok(Turn { _session: permit(&self.sessions).await?, _line: line })
    }
}

/// Never fails, for nothing closes the semaphores.
async fn permit(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StageError> {
    Arc::clone(semaphore).acquire_owned().await.map_err(|_| StageError::cancelled())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{
        Turns,
        Urgency::{First, InLine},
    };

    #[tokio::test]
    async fn first_words_wait_for_what_is_at_work_only() {
        let turns = Turns::new(1);
        let at_work = turns.wait(InLine).await.unwrap_or_else(|error| panic!("{error}"));
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for (name, urgency) in [("unit 1", InLine), ("unit 2", InLine), ("clip 1", First), ("clip 2", First)] {
            let (turns, served) = (turns.clone(), Arc::clone(&served));
            waiting.push(tokio::spawn(async move {
                let turn = turns.wait(urgency).await;
                if let Ok(mut served) = served.lock() {
                    served.push(name);
                }
                drop(turn);
            }));
            tokio::task::yield_now().await;
        }
        drop(at_work);
        for one in waiting {
            one.await.unwrap_or_else(|error| panic!("{error}"));
        }
        let served = served.lock().map(|served| served.clone()).unwrap_or_default();
        assert_eq!(served, ["clip 1", "clip 2", "unit 1", "unit 2"]);
    }
}
