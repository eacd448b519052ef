//! Whose turn it is at the cores: first words wait for what is at work, and everything else stands in line.

use std::sync::Arc;

use engine::error::StageError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody may be waiting for a job's first words.
    First,
    InLine,
}

/// Both semaphores count cores, and serve whoever waits longest. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Turns {
    /// Those that may be at work.
    cores: Arc<Semaphore>,
    /// Those for which what is not urgent may wait: no more than that stands before what is urgent.
    line: Arc<Semaphore>,
}

/// Ends when it is dropped.
pub(crate) struct Turn {
    cores: OwnedSemaphorePermit,
    _line: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(crate) fn new(cores: usize) -> Self {
        Self { cores: Arc::new(Semaphore::new(cores)), line: Arc::new(Semaphore::new(cores)) }
    }

    /// Waits for so many cores, of those that there are.
    pub(crate) async fn wait(&self, cores: usize, urgency: Urgency) -> Result<Turn, StageError> {
        let line = match urgency {
            Urgency::First => None,
            Urgency::InLine => Some(permits(&self.line, cores).await?),
        };
        Ok(Turn { cores: permits(&self.cores, cores).await?, _line: line })
    }
}

impl Turn {
    /// Takes the cores, too, that nobody wants at the moment.
    pub(crate) fn widen(&mut self) {
        let all = Arc::clone(self.cores.semaphore());
        let free = u32::try_from(all.available_permits()).unwrap_or(u32::MAX);
        // Whoever came first in the meantime may have them.
        if let Ok(more) = all.try_acquire_many_owned(free) {
            self.cores.merge(more);
        }
    }

    pub(crate) fn cores(&self) -> usize {
        self.cores.num_permits()
    }
}

/// Never fails, for nothing closes the semaphores.
async fn permits(semaphore: &Arc<Semaphore>, cores: usize) -> Result<OwnedSemaphorePermit, StageError> {
    let cores = u32::try_from(cores).unwrap_or(u32::MAX);
    Arc::clone(semaphore).acquire_many_owned(cores).await.map_err(|_| StageError::cancelled())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{
        Turn, Turns,
        Urgency::{First, InLine},
    };

    #[tokio::test]
    async fn free_cores_are_taken_and_given_back() {
        let turns = Turns::new(4);
        let turn = async || turns.wait(1, First).await.unwrap_or_else(|error| panic!("{error}"));
        let mut alone: Turn = turn().await;
        let other = turn().await;
        alone.widen();
        assert_eq!((alone.cores(), other.cores(), turns.cores.available_permits()), (3, 1, 0));
        drop(alone);
        assert_eq!(turns.cores.available_permits(), 3);
    }

    #[tokio::test]
    async fn first_words_wait_for_what_is_at_work_only() {
        let turns = Turns::new(2);
        let at_work = turns.wait(2, InLine).await.unwrap_or_else(|error| panic!("{error}"));
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for (name, urgency) in [("unit 1", InLine), ("unit 2", InLine), ("clip 1", First), ("clip 2", First)] {
            let (turns, served) = (turns.clone(), Arc::clone(&served));
            waiting.push(tokio::spawn(async move {
                let turn = turns.wait(2, urgency).await;
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
