//! Fetching models and programs through the crate's features, over real connections.

#![cfg(test)]

mod fetching;
mod file_server;
