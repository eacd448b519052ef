//! The transcription worker: work units in, checkpoints out. Only [`recogniser`] knows whisper.

pub mod activities;
mod audio;
mod cancel;
pub mod layout;
pub mod models;
mod prepare;
pub mod recogniser;
mod turns;
mod unit;
