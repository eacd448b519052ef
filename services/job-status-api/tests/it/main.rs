//! The service as its users see it, over HTTP, with the real server, workers and models.

#![cfg(test)]

mod browser;
mod deletion;
mod events;
mod forgotten;
mod jobs;
mod page;
mod redis;
mod resubmission;
mod results;
mod service;
mod unavailable;
