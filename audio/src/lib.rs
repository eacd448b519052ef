//! What is computed of a recording's samples before they are recognised: decoding, mixing or parting channels, resampling,
//! finding speech.
//!
//! A crate of its own, for it is optimised as far as it goes, and what only moves data between Temporal and the store is
//! not. It streams, and knows nothing of stores and chunks, and of jobs only which track is asked for.

pub mod channels;
pub mod decode;
pub mod resample;
mod speech;
pub mod speech_segments;
pub mod tracks;
