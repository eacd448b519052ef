//! A stopwatch on the workflow's own clock, which a replay shows the same times.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use temporalio_sdk::WorkflowContext;

/// It goes on in the workflow's next run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Clock {
    started: SystemTime,
    lap: SystemTime,
}

impl Clock {
    /// Starts at the workflow's submission.
    pub(super) fn start<W>(ctx: &WorkflowContext<W>) -> Self {
        let started = ctx.info().start_time().unwrap_or(SystemTime::UNIX_EPOCH);
        Self { started, lap: started }
    }

    pub(super) fn started(&self) -> SystemTime {
        self.started
    }

    /// Seconds since the last lap.
    pub(super) fn lap<W>(&mut self, ctx: &WorkflowContext<W>) -> f64 {
        let now = ctx.workflow_time().unwrap_or(self.lap);
        let seconds = now.duration_since(self.lap).unwrap_or_default().as_secs_f64();
        self.lap = now;
        seconds
    }

    /// Seconds since submission.
    pub(super) fn total<W>(&self, ctx: &WorkflowContext<W>) -> f64 {
        let now = ctx.workflow_time().unwrap_or(self.started);
        now.duration_since(self.started).unwrap_or_default().as_secs_f64()
    }
}
