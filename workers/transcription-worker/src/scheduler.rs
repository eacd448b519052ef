//! Decides which requests start next, together with which others, and on how many cores. Pure bookkeeping: it knows no
//! session, no thread and no clock.
//!
//! First words wait for what is running, and everything else queues. A request that runs next takes along others that
//! are decoded alike, of whichever jobs, as many as its batch has room for. No request waits for others to come, and
//! none goes along with others where another session could take it as soon.

use crate::recogniser::RecogniseOptions;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Somebody may be waiting for a job's first words.
    First,
    Normal,
}

/// What the scheduler has to know of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) limits: ModelLimits,
    pub(crate) priority: Priority,
    pub(crate) chunks: usize,
    /// Requests of one model whose keys are equal can share a batch. None runs alone.
    pub(crate) batch_key: Option<BatchKey>,
}

/// Tells models apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModelId(pub(crate) u64);

/// How a model's sessions may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModelLimits {
    pub(crate) model: ModelId,
    pub(crate) sessions: usize,
    /// Cores that each session takes.
    pub(crate) threads: usize,
    /// The most chunks in a batch.
    pub(crate) max_batch: usize,
    /// Whether a session can use more cores than `threads`.
    pub(crate) takes_any_threads: bool,
}

/// What the chunks of a batch have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BatchKey {
    pub(crate) audio_ctx: usize,
    pub(crate) options: RecogniseOptions,
}

/// Requests to run together on one session, on so many cores.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    pub(crate) first: T,
    pub(crate) along: Vec<T>,
    pub(crate) grant: Grant,
}

/// Cores that are in use until [`Scheduler::finish`] gets them back.
#[must_use]
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) cores: usize,
    /// Of these, those that count against normal work.
    normal: usize,
}

pub(crate) struct Scheduler<T> {
    free_cores: usize,
    /// Cores that normal work can still claim. It holds a claim while it is due and while it runs, and all claims
    /// together are no more than there are cores: so much normal work at most goes before first words that come later.
    free_claims: usize,
    /// Starts in this order, as cores become free.
    due: Vec<Entry<T>>,
    /// Normal work without a claim, in the order of coming.
    queued: Vec<Entry<T>>,
}

struct Entry<T> {
    demand: Demand,
    request: T,
}

impl<T> Scheduler<T> {
    pub(crate) fn new(cores: usize) -> Self {
        Self { free_cores: cores, free_claims: cores, due: Vec::new(), queued: Vec::new() }
    }

    pub(crate) fn push(&mut self, demand: Demand, request: T) {
        let queue = match demand.priority {
            Priority::First => &mut self.due,
            Priority::Normal => &mut self.queued,
        };
        queue.push(Entry { demand, request });
    }

    /// Forgets requests that nobody waits for any more.
    pub(crate) fn remove(&mut self, is_cancelled: impl Fn(&T) -> bool) {
        self.queued.retain(|entry| !is_cancelled(&entry.request));
        let cancelled = self.due.extract_if(.., |entry| is_cancelled(&entry.request));
        self.free_claims += cancelled.map(|entry| entry.demand.claim()).sum::<usize>();
    }

    /// The batch that can start now, if there is one.
    pub(crate) fn next_batch(&mut self) -> Option<Batch<T>> {
        // A request that needs more cores than are free is not overtaken, or it might wait for ever.
        while self.due.first().is_none_or(|first| first.demand.limits.threads > self.free_cores) {
            self.make_due()?;
        }
        let share = self.share(&self.due.first()?.demand);
        let first = self.due.remove(0);
        let along = self.take_along(&first.demand, share);
        let grant = self.grant(&first.demand);
        let along = along.into_iter().map(|entry| entry.request).collect();
        Some(Batch { first: first.request, along, grant })
    }

    /// Takes the cores of a batch that has run.
    pub(crate) fn finish(&mut self, grant: Grant) {
        self.free_cores += grant.cores;
        self.free_claims += grant.normal;
    }

    /// Gives the normal request that has waited longest its claim, if there is room for one.
    fn make_due(&mut self) -> Option<()> {
        let next = self.queued.first()?;
        self.free_claims = self.free_claims.checked_sub(next.demand.claim())?;
        self.due.push(self.queued.remove(0));
        Some(())
    }

    /// The most chunks that a batch may have now: what waits is spread over all sessions of the model.
    fn share(&self, demand: &Demand) -> usize {
        let ModelLimits { model, sessions, max_batch, .. } = demand.limits;
        let waiting = self.due.iter().chain(&self.queued).filter(|entry| entry.demand.limits.model == model);
        let chunks: usize = waiting.map(|entry| entry.demand.chunks).sum();
        chunks.div_ceil(sessions).min(max_batch)
    }

    /// The requests that can run together with this one, which may come to so many chunks with it.
    fn take_along(&mut self, first: &Demand, share: usize) -> Vec<Entry<T>> {
        let mut taken = first.chunks;
        let mut fits = |entry: &mut Entry<T>| {
            let fits = first.can_share_batch(&entry.demand) && taken + entry.demand.chunks <= share;
            taken += if fits { entry.demand.chunks } else { 0 };
            fits
        };
        let mut along: Vec<Entry<T>> = self.due.extract_if(.., &mut fits).collect();
        self.free_claims += along.iter().map(|entry| entry.demand.claim()).sum::<usize>();
        along.extend(self.queued.extract_if(.., fits));
        along
    }

    /// First words take the cores, too, that nothing else waits for.
    fn grant(&mut self, demand: &Demand) -> Grant {
        let ModelLimits { threads, takes_any_threads, .. } = demand.limits;
        let widens = demand.priority == Priority::First && takes_any_threads && self.due.is_empty();
        let cores = if widens { self.free_cores } else { threads };
        self.free_cores -= cores;
        Grant { cores, normal: demand.claim() }
    }
}

impl Demand {
    /// Cores that it holds a claim to while it is due and while it runs.
    fn claim(&self) -> usize {
        match self.priority {
            Priority::First => 0,
            Priority::Normal => self.limits.threads,
        }
    }

    fn can_share_batch(&self, other: &Self) -> bool {
        let same_model = self.limits.model == other.limits.model;
        same_model && self.priority == other.priority && self.batch_key.is_some() && self.batch_key == other.batch_key
    }
}

#[cfg(test)]
mod tests;
