//! The workflows. Their code is deterministic: no clock, no randomness and no I/O but the SDK's own.

mod activity_calls;
mod batch;
mod clock;
mod deliver;
mod housekeeping;
mod input;
mod job_state;
mod llm;
mod purge;
mod recognise;
mod segmentation;
mod stopped;
mod transcribe;
mod unit_scheduler;

pub use batch::{BatchOutcome, BatchRequest, BatchWorkflow};
pub use deliver::{DeliverRequest, DeliverWorkflow};
pub use housekeeping::{HousekeepingReport, HousekeepingRequest, HousekeepingWorkflow};
pub use llm::{LlmRequest, LlmWorkflow};
pub use purge::{PurgeOutcome, PurgeRequest, PurgeWorkflow};
pub use transcribe::{JobOutcome, TranscribeWorkflow};

pub(crate) use transcribe::STATUS_MEMO;
