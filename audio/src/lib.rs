//! What is computed of a recording's samples before they are recognised: decoding, resampling, finding speech.
//!
//! A crate of its own, for it is optimised as far as it goes, and what only moves data between Temporal and the store is
//! not. It streams, and knows nothing of stores, chunks and jobs.

pub mod decode;
pub mod resample;
mod speech;
pub mod speech_segments;
