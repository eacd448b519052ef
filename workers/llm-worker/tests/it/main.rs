//! The worker against a server that speaks OpenAI's protocol, faults included, and against the
//! real bundled model.

#![cfg(test)]

mod endpoint;
mod faults;
mod fixtures;
mod local;
mod long_recordings;
mod schemas;
mod secrets;
mod tasks;
