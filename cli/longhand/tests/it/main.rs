//! The command line, by itself and with everything that it sets in motion.

#![cfg(test)]

mod bad_input;
mod command_line;
mod deletion;
mod downloads;
mod durability;
mod following;
mod metrics;
mod order;
mod pipeline;
mod s3;
mod traces;
mod versions;
mod webhook;
