//! What erases: one job that somebody wants gone, jobs whose time is over, and what nobody refers to.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use temporalio_common::ActivityDefinition;

use super::{Contract, HOUSEKEEPING_QUEUE};
use crate::erasure::{Erased, Scope};

contract!(
    /// Cancels everything of a job, and waits until nothing of it runs. Tried for ever: who was told that a job goes has
    /// to see it gone.
    StopJob = "stop_job" on |_| HOUSEKEEPING_QUEUE; StopInput => Stopped, 0 attempts up to 60 s apart
);
contract!(
    /// Erases a job that does not run: what the store has of it, and then what Temporal knows of it.
    EraseJob = "erase_job" on |_| HOUSEKEEPING_QUEUE; EraseInput => ErasedJob, 0 attempts up to 60 s apart
);
contract!(
    /// Erases what nobody refers to.
    Sweep = "sweep" on |_| HOUSEKEEPING_QUEUE; SweepInput => SweepReport
);
contract!(
    /// Has the jobs and recordings purged that are kept no longer.
    Retain = "retain" on |_| HOUSEKEEPING_QUEUE; RetainInput => Retained
);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopInput {
    pub job_id: String,
    /// Leave one alone that runs.
    pub spare_running: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Something of it ran, and may not have heard yet that it is over.
    pub ran: bool,
    /// It runs, and was left alone.
    pub spared: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseInput {
    pub job_id: String,
    pub scope: Scope,
    /// Who wanted it, for the audit log.
    pub asked_by: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedJob {
    pub erased: Erased,
    /// It was begun again meanwhile, by somebody who had asked before the purge.
    pub came_back: bool,
}

impl ErasedJob {
    pub fn add(&mut self, other: Self) {
        self.erased.add(other.erased);
        self.came_back |= other.came_back;
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepInput {
    /// Seconds for which something has to lie about untouched.
    pub min_age_s: u64,
    /// Who wanted it, for the audit log.
    pub asked_by: String,
}

/// What a sweep took away, or would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReport {
    /// Uploads, units and checkpoints that no job needs, by recording; uploads that were never finished among them.
    pub recordings: u64,
    /// What is left of jobs that nobody knows.
    pub jobs: u64,
    /// Parts of objects that were never finished.
    pub parts: u64,
    pub objects: u64,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetainInput {}

/// How many are being purged now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    pub jobs: u64,
    /// Those of which the recording goes, and the transcript stays.
    pub recordings: u64,
}
