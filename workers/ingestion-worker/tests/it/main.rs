//! Ingestion as its callers see it: a source goes in, work units and a plan lie in the store.

#![cfg(test)]

mod any_file;
mod bad_input;
mod channels;
mod cut_off_store;
mod edits;
mod ends_early;
mod formats;
mod imperfect;
mod made;
mod mutated;
mod power_loss;
mod running;
mod segmentation;
mod several_tracks;
mod silence;
mod sound;
mod without_ffmpeg;
mod workbench;
