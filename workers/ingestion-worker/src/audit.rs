//! The audit log: one line for each erasure, under a target of its own, so that a filter can send it elsewhere or keep it
//! where all else is silent. Targets are written out where the lines are, for a filter is matched before anything runs.

use engine::{erasure::Erased, ids::JobId, temporal::contracts::EraseInput};

/// A job went, or its recording.
pub(crate) fn job(id: &JobId, input: &EraseInput, erased: Erased) {
    let Erased { objects, bytes } = erased;
    let (asked_for, scope, by) = (&input.job_id, input.scope, &input.asked_by);
    tracing::info!(target: "longhand::audit", job = %id, %asked_for, ?scope, %by, objects, bytes, "erased a job");
}

/// Something went that nobody referred to.
pub(crate) fn swept(what: &str, by: &str, erased: Erased) {
    let Erased { objects, bytes } = erased;
    tracing::info!(target: "longhand::audit", what, by, objects, bytes, "swept");
}
