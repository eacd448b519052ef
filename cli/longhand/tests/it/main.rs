//! The command line, by itself and with everything that it sets in motion.

#![cfg(test)]

mod bad_input;
mod batch_numbers;
mod command_line;
mod deletion;
mod downloads;
mod durability;
mod following;
mod long_recordings;
mod metrics;
mod order;
mod pipeline;
mod s3;
mod simulated;
mod slots;
mod traces;
mod versions;
mod webhook;
