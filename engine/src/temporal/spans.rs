//! Spans of workflows and of calls to Temporal, in a process that exports its traces.

use std::sync::atomic::{AtomicBool, Ordering};

/// Gives the spans of a workflow that is replayed the ids that they had the first time.
pub(crate) use temporalio_sdk::opentelemetry::WorkflowIdGenerator as SpanIds;

static ENABLED: AtomicBool = AtomicBool::new(false);

/// Clients that connect from now on make spans of their calls and pass the trace's context on.
pub(crate) fn enable() {
    ENABLED.store(true, Ordering::Relaxed);
}

pub(super) fn are_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}
