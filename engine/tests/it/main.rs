//! The engine through its features: fetched files, the store, the house's order.

#![cfg(test)]

mod assets;
mod house;
mod settings;
mod store;
