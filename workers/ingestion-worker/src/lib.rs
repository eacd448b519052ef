//! Ingestion: from a source to chunks of speech in the store.
//!
//! ```text
//! source -> local file -> decode -> 16 kHz mono -> speech segments -> chunks -> work units -> plan
//! ```
//! Everything between the file and the store streams, so memory does not grow with the recording.
//! [`ingest`] is the whole of it, [`assemble()`] and [`conclude()`] are what a job ends with; nothing in here but `main` and `activities` knows Temporal.

pub mod activities;
mod assemble;
mod audit;
mod batch;
mod chunker;
mod conclude;
mod deliver;
mod ingest;
mod pipeline;
mod purge;
mod retention;
mod source;
mod stored_units;
mod units;

pub use assemble::assemble;
pub use conclude::{amend, conclude};
pub use ingest::{Ingested, Resources, ingest};
