//! Ingestion as its callers see it: a source goes in, work units and a plan lie in the store.

#![cfg(test)]

mod bad_input;
mod cut_off_store;
mod formats;
mod imperfect;
mod power_loss;
mod running;
mod segmentation;
mod silence;
mod sound;
mod workbench;
