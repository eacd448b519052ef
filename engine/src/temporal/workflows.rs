//! The workflows. Their code is deterministic: no clock, no randomness and no I/O but the SDK's own.

mod activity_calls;
mod batch;
mod clock;
mod continued;
mod deliver;
mod housekeeping;
mod input;
mod job_state;
mod llm;
mod next_run;
mod purge;
mod recognise;
mod segmentation;
mod stopped;
mod transcribe;
mod unit_scheduler;

pub use batch::{BatchRequest, BatchWorkflow};
pub use deliver::{DeliverRequest, DeliverWorkflow};
pub use housekeeping::{HousekeepingReport, HousekeepingRequest, HousekeepingWorkflow};
pub use llm::{LlmRequest, LlmWorkflow};
pub use purge::{PurgeOutcome, PurgeRequest, PurgeWorkflow};
pub use transcribe::{JobOutcome, TranscribeWorkflow};

pub(crate) use batch::{BatchNumbers, NUMBERS_MEMO};
pub(crate) use continued::JobInput;
pub(crate) use next_run::STARTED_MEMO;
pub(crate) use transcribe::STATUS_MEMO;
