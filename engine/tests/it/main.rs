//! The engine through its features: the store, recorded histories, the house's order.

#![cfg(test)]

mod erasure;
mod house;
mod replay;
mod settings;
mod store;
