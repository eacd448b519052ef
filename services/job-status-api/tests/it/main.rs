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
mod redis;
mod resubmission;
mod results;
mod runs;
mod service;
mod tenants;
mod unavailable;
