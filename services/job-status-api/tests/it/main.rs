//! The service as its users see it, over HTTP, with the real server, workers and models.

#![cfg(test)]

mod browser;
mod deletion;
mod events;
mod forgotten;
mod jobs;
mod language_model;
mod memory;
mod names;
mod one_host;
mod page;
mod partial;
mod redis;
mod resubmission;
mod results;
mod revocation;
mod runs;
mod service;
mod simulated_use;
mod tenants;
mod unavailable;
