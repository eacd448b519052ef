//! The transcription worker: work units in, checkpoints out. Only [`recogniser`] knows whisper.

pub mod activities;
mod audio;
mod dispatcher;
mod downloads;
pub mod layout;
mod memory;
pub mod model_cache;
mod prepare;
pub mod recogniser;
mod scheduler;
mod unit;
