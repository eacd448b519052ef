//! The engine through its features: fetched files, the store, recorded histories, the house's order.

#![cfg(test)]

mod assets;
mod house;
mod replay;
mod settings;
mod store;
