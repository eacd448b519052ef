//! The ingestion API as a process of its own, on the real server with the real workers.

#![cfg(test)]

mod access;
mod bad_input;
mod documentation;
mod form;
mod health;
mod jobs;
mod models;
mod openai;
mod quota;
mod redis;
mod security;
mod service;
mod walls;
