//! The service as its users see it, over HTTP, with the real server, workers and models behind it.

#![cfg(test)]

mod again;
mod away;
mod browser;
mod forgotten;
mod jobs;
mod live;
mod page;
mod redis;
mod results;
mod service;
