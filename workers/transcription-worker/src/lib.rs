//! The transcription worker: work units in, checkpoints out. Only [`recogniser`] knows whisper.

pub mod activities;
mod audio;
mod batching;
mod cancel;
pub mod layout;
mod model;
pub mod models;
mod prepare;
pub mod recogniser;
mod turns;
mod unit;
