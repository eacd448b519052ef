//! The command line, by itself and with everything that it sets in motion.

#![cfg(test)]

mod bad_input;
mod batch_numbers;
mod channels;
mod command_line;
mod deletion;
mod downloads;
mod durability;
mod following;
mod languages;
mod long_recordings;
mod metrics;
mod names;
mod order;
mod outages;
mod pipeline;
mod s3;
mod scripted;
mod simulated;
mod slots;
mod traces;
mod versions;
mod webhook;
