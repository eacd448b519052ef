//! Temporal: the workflows, the contracts of their activities, the client and the worker.
//!
//! Only this module and the workers' activity adapters know Temporal's types. Payloads carry
//! keys, hashes and counts; audio and text stay in the store.

pub mod activity;
pub mod batch;
pub mod client;
pub mod contracts;
pub mod metrics;
pub mod progress;
pub mod schedule;
pub(crate) mod spans;
pub mod speed;
pub mod sweep;
pub mod waiting_activity;
pub mod worker;
pub mod workflows;
