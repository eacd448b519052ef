//! The service as its users see it, over HTTP, with the real server, workers and models behind it.

#![cfg(test)]

mod browser;
mod jobs;
mod live;
mod page;
mod redis;
mod results;
mod service;
