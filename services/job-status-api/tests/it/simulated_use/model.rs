//! What should be there, by what was asked for and what was answered.

use std::collections::{BTreeMap, BTreeSet};

/// The place of a recording among those that there are.
pub(super) type Number = usize;

/// The jobs of some users by their ids, and their batches.
#[derive(Default)]
pub(super) struct Model {
    pub(super) jobs: BTreeMap<String, Job>,
    /// With the ids of their jobs.
    pub(super) batches: BTreeMap<String, Vec<String>>,
}

/// A job since it was last purged.
#[derive(Debug, Default, Clone)]
pub(super) struct Job {
    pub(super) state: State,
    /// Recordings of runs that were started for certain.
    pub(super) needs: BTreeSet<Number>,
    /// Recordings that it may need besides: of requests that found the job, or of which the answer was lost.
    pub(super) may_need: BTreeSet<Number>,
    /// The last run was of one of these.
    pub(super) heard: BTreeSet<Number>,
    /// Its last run was asked to stop.
    pub(super) is_cancelled: bool,
    /// Whether its last run tells of its end; `None` where that is not known.
    pub(super) tells: Option<bool>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Absent,
    /// It runs, or has ended.
    Begun,
    Completed,
    Cancelled,
    /// One of a batch that was cancelled, perhaps before the job began.
    Unknown,
}

/// What is kept of a job that has ended, by its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    All,
    Transcript,
    Nothing,
}

/// An answer to a submission.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) recording: Number,
    pub(super) tells: bool,
    pub(super) existing: bool,
    /// Of a try that broke off it is not known what it did.
    pub(super) at_first_try: bool,
}

impl Model {
    pub(super) fn and(mut self, other: Self) -> Self {
        self.jobs.extend(other.jobs);
        self.batches.extend(other.batches);
        self
    }
}

impl Job {
    pub(super) fn is_taken(&mut self, taken: Taken) {
        let Taken { recording, tells, existing, at_first_try } = taken;
        match self.was_started(existing, at_first_try) {
            Some(true) => {
                self.needs.insert(recording);
                *self = Self {
                    state: State::Begun,
                    heard: [recording].into(),
                    is_cancelled: false,
                    tells: Some(tells),
                    ..std::mem::take(self)
                };
            }
            Some(false) => drop(self.may_need.insert(recording)),
            None => {
                self.may_need.insert(recording);
                self.heard.insert(recording);
                self.tells = self.tells.filter(|known| *known == tells);
            }
        }
    }

    fn was_started(&self, existing: bool, at_first_try: bool) -> Option<bool> {
        match (existing, at_first_try, self.state) {
            (false, ..) => Some(true),
            (true, true, _) | (true, _, State::Completed) => Some(false),
            (true, _, State::Absent | State::Cancelled) => Some(true),
            (true, _, State::Begun | State::Unknown) => None,
        }
    }
}

pub(super) fn kept(id: &str) -> Kept {
    match id.split_once(':') {
        Some(("short", _)) => Kept::Nothing,
        Some(("brief", _)) => Kept::Transcript,
        _ => Kept::All,
    }
}
