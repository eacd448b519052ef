//! Going on as a new run, with an empty history.

use std::time::{SystemTime, UNIX_EPOCH};

use temporalio_common::MemoValues;
use temporalio_sdk::ContinueAsNewOptions;

/// Names the memo entry of later runs that tells when the first one was started, in seconds since the epoch.
pub(crate) const STARTED_MEMO: &str = "started";

/// How a workflow goes on whose first run was started then.
pub(super) fn next_run_of(started: SystemTime) -> ContinueAsNewOptions {
    let mut memo = MemoValues::new();
    memo.insert(STARTED_MEMO, started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
    ContinueAsNewOptions::builder().memo(memo).build()
}
